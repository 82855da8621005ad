// Reads "pre_tokenizer" and "post_processor" of a tokenizer.json: what happens around the model.
#include <fmt/core.h>

#include <algorithm>

#include "text/tokenizer_sections.hpp"

namespace rankine::text {

namespace {

using nlohmann::json;

/// Of ByteLevel, as in GPT-2.
constexpr const char* gpt2_expression =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

SplitStep read_split(const files::JsonSection& split) {
  const files::JsonSection pattern = split.section("pattern");
  const bool is_literal = pattern.has("String");
  const std::string text = pattern.text(is_literal ? "String" : "Regex");
  const std::string behaviour = split.text("behavior");
  const bool inverted = split.flag("invert", false);
  if (text.empty()) pattern.refuse_unsupported("an empty pattern");
  if (behaviour != "Isolated" && behaviour != "Removed") split.refuse_unsupported(behaviour);
  const Keep keep = behaviour == "Isolated" ? Keep::all_parts
                    : inverted              ? Keep::matches
                                            : Keep::between_matches;
  return {is_literal ? Pattern::literal(text) : Pattern::regular_expression(text, pattern.name()),
          keep};
}

/// Adds the steps of one pre-tokenizer after another. Whatever follows ByteLevel would see symbols
/// of bytes in place of text.
class StepReader {
 public:
  void read(const files::JsonSection& section) {
    const std::string type = section.text("type");
    if (type == "Sequence") {
      for (const files::JsonSection& part : section.sections("pretokenizers")) read(part);
      return;
    }
    if (ends_) section.refuse_unsupported(fmt::format("{} behind ByteLevel", type));
    if (type == "Split") {
      steps_.add(read_split(section));
    } else if (type == "Digits") {
      const bool one_by_one = section.flag("individual_digits");
      steps_.add({one_by_one ? Pattern::digit() : Pattern::digits(), Keep::all_parts});
    } else if (type == "ByteLevel") {
      ends_ = true;
      if (section.flag("add_prefix_space")) steps_.add_prefix_space();
      if (section.flag("use_regex", true)) {
        steps_.add({Pattern::regular_expression(gpt2_expression, section.name()), Keep::all_parts});
      }
    } else {
      section.refuse_unsupported(type);
    }
  }

  PreTokenizer finish(const files::JsonSection& section) {
    if (!ends_) section.refuse_unsupported("a pre-tokenizer without ByteLevel");
    return std::move(steps_);
  }

 private:
  PreTokenizer steps_;
  bool ends_ = false;
};

/// Ids of one special token of a template.
std::vector<std::int32_t> special_ids(const files::JsonSection& processor,
                                      const std::string& name) {
  const files::JsonSection token = processor.section("special_tokens").section(name);
  std::vector<std::int32_t> ids;
  for (const json& id : token.array("ids")) ids.push_back(token.id_of(id));
  return ids;
}

Template read_template(const files::JsonSection& processor) {
  Template around;
  int n_texts = 0;
  for (const files::JsonSection& piece : processor.sections("single")) {
    if (piece.has("Sequence")) {
      if (piece.section("Sequence").text("id") != "A") piece.refuse_unsupported("a second text");
      ++n_texts;
      continue;
    }
    auto& side = n_texts == 0 ? around.before : around.after;
    std::ranges::copy(special_ids(processor, piece.section("SpecialToken").text("id")),
                      std::back_inserter(side));
  }
  if (n_texts != 1) {
    processor.refuse_unsupported(fmt::format("a template that holds the text {} times", n_texts));
  }
  return around;
}

}  // namespace

PreTokenizer read_pre_tokenizer(const files::JsonSection& section) {
  StepReader reader;
  reader.read(section);
  return reader.finish(section);
}

Template read_post_processor(const files::JsonSection& section) {
  const std::string type = section.text("type");
  if (type == "ByteLevel") return {};
  if (type == "TemplateProcessing") return read_template(section);
  if (type != "Sequence") section.refuse_unsupported(type);
  Template around;
  for (const files::JsonSection& part : section.sections("processors")) {
    const Template outer = read_post_processor(part);
    around.before.insert(around.before.begin(), outer.before.begin(), outer.before.end());
    around.after.insert(around.after.end(), outer.after.begin(), outer.after.end());
  }
  return around;
}

}  // namespace rankine::text
