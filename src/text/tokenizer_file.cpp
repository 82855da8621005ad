#include "text/tokenizer_file.hpp"

#include "files/json_document.hpp"
#include "text/tokenizer_sections.hpp"

namespace rankine::text {

namespace {

void check_decoder(const files::JsonSection& document) {
  if (!document.has("decoder")) document.refuse_unsupported("a tokenizer without decoder");
  const files::JsonSection decoder = document.section("decoder");
  if (decoder.text("type") != "ByteLevel") decoder.refuse_unsupported(decoder.text("type"));
}

}  // namespace

TokenizerFile read_tokenizer_file(const std::filesystem::path& path) {
  const nlohmann::json json = files::read_json(path);
  const files::JsonSection document(json, "", path);
  for (const char* feature : {"normalizer", "truncation", "padding"}) {
    if (!document.has(feature)) continue;
    const files::JsonSection section = document.section(feature);
    section.refuse_unsupported(section.has("type") ? section.text("type") : feature);
  }
  if (!document.has("pre_tokenizer")) {
    document.refuse_unsupported("a tokenizer without pre_tokenizer");
  }
  check_decoder(document);
  PairModel model = read_pair_model(document.section("model"));
  auto added = read_added_tokens(document, model.vocabulary);
  TokenizerFile file{std::move(model),
                     std::move(added),
                     read_pre_tokenizer(document.section("pre_tokenizer")),
                     {}};
  if (document.has("post_processor")) {
    file.around = read_post_processor(document.section("post_processor"));
  }
  return file;
}

}  // namespace rankine::text
