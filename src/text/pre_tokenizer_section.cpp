// Reads "pre_tokenizer" and "post_processor" of a tokenizer.json: what happens around the model.
#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "text/tokenizer_sections.hpp"

namespace rankine::text {

namespace {

using nlohmann::json;

/// Of ByteLevel, as in GPT-2.
constexpr const char* gpt2_expression =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

Keep read_behaviour(const files::JsonSection& split) {
  static const std::map<std::string, Keep> behaviours = {
      {"Isolated", Keep::all_parts},
      {"Removed", Keep::between_matches},
      {"MergedWithPrevious", Keep::merged_with_previous},
      {"MergedWithNext", Keep::merged_with_next},
      {"Contiguous", Keep::runs}};
  const std::string name = split.text("behavior");
  const auto found = behaviours.find(name);
  if (found == behaviours.end()) split.refuse_unsupported(name);
  return found->second;
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
    if (words_.letters == Letters::bytes)
      section.refuse_unsupported(fmt::format("{} behind ByteLevel", type));
    if (type == "Split") {
      add({read_pattern(section), read_behaviour(section), section.flag("invert", false)});
    } else if (type == "Digits") {
      const bool one_by_one = section.flag("individual_digits");
      add({one_by_one ? Pattern::digit() : Pattern::digits(), Keep::all_parts});
    } else if (type == "WhitespaceSplit") {
      add({Pattern::regular_expression("\\s", section.name()), Keep::between_matches});
    } else if (type == "Metaspace") {
      read_metaspace_step(section);
    } else if (type == "ByteLevel") {
      read_byte_level(section);
    } else {
      section.refuse_unsupported(type);
    }
  }

  WordsSection finish() { return std::move(words_); }

 private:
  void add(SplitStep step) { words_.pre_tokenizer.add(std::move(step)); }

  void read_metaspace_step(const files::JsonSection& section) {
    const Metaspace metaspace = read_metaspace(section);
    words_.pre_tokenizer.add(metaspace);
    if (section.flag("split", true))
      add({Pattern::literal(metaspace.blank), Keep::merged_with_next});
  }

  void read_byte_level(const files::JsonSection& section) {
    words_.letters = Letters::bytes;
    if (section.flag("add_prefix_space"))
      words_.pre_tokenizer.add(Metaspace{" ", Beginning::every_blank});
    if (section.flag("use_regex", true))
      add({Pattern::regular_expression(gpt2_expression, section.name()), Keep::all_parts});
  }

  WordsSection words_;
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

Pattern read_pattern(const files::JsonSection& section) {
  const files::JsonSection pattern = section.section("pattern");
  const bool is_literal = pattern.has("String");
  const std::string text = pattern.text(is_literal ? "String" : "Regex");
  if (text.empty()) pattern.refuse_unsupported("an empty pattern");
  return is_literal ? Pattern::literal(text) : Pattern::regular_expression(text, pattern.name());
}

Metaspace read_metaspace(const files::JsonSection& section) {
  static const std::map<std::string, Beginning> schemes = {{"always", Beginning::every_blank},
                                                           {"first", Beginning::first_blank},
                                                           {"never", Beginning::as_it_is}};
  const std::string scheme =
      section.has("prepend_scheme") ? section.text("prepend_scheme") : "always";
  const auto found = schemes.find(scheme);
  if (found == schemes.end()) section.refuse_unsupported(scheme);
  const std::string blank = section.text("replacement");
  if (blank.empty()) section.refuse_unsupported("an empty replacement");
  // Files of before there were schemes have this key alone.
  const bool begins = section.flag("add_prefix_space", true);
  return {blank, begins ? found->second : Beginning::as_it_is};
}

WordsSection read_pre_tokenizer(const files::JsonSection& section) {
  StepReader reader;
  reader.read(section);
  return reader.finish();
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
