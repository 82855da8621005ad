#include "text/tokenizer_file.hpp"

#include "files/json_document.hpp"
#include "text/tokenizer_sections.hpp"

namespace rankine::text {

namespace {

std::variant<PairModel, UnigramModel> read_model(const files::JsonSection& model, Letters letters) {
  const std::string type = model.has("type") ? model.text("type") : "a model without type";
  if (type == "BPE") return read_pair_model(model, letters);
  if (type != "Unigram") model.refuse_unsupported(type);
  if (letters == Letters::bytes) model.refuse_unsupported("Unigram with ByteLevel");
  return read_unigram_model(model);
}

}  // namespace

TokenizerFile read_tokenizer_file(const std::filesystem::path& path) {
  const nlohmann::json json = files::read_json(path);
  const files::JsonSection document(json, "", path);
  TokenizerFile file;
  if (document.has("normalizer")) file.normalizer = read_normalizer(document.section("normalizer"));
  if (document.has("pre_tokenizer"))
    file.words = read_pre_tokenizer(document.section("pre_tokenizer"));
  file.model = read_model(document.section("model"), file.words.letters);
  std::visit([&](const auto& model) { file.added = read_added_tokens(document, model.vocabulary); },
             file.model);
  if (document.has("post_processor"))
    file.around = read_post_processor(document.section("post_processor"));
  if (document.has("decoder")) file.decoder = read_decoder(document.section("decoder"));
  for (const char* section : {"truncation", "padding"})
    if (document.has(section)) file.ignored.push_back(section);
  return file;
}

}  // namespace rankine::text
