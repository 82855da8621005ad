// Reads "decoder" of a tokenizer.json.
#include <limits>

#include "text/tokenizer_sections.hpp"
#include "text/utf8.hpp"

namespace rankine::text {

namespace {

/// Texts are stripped of one character.
std::string character(const files::JsonSection& section, const char* key) {
  std::string text = section.text(key);
  if (text.empty() || first_code_point(text).bytes != text.size())
    section.refuse_wrong(std::string("'") + key + "' is not one character");
  return text;
}

std::size_t count(const files::JsonSection& section, const char* key) {
  return static_cast<std::size_t>(section.whole(key, 0, std::numeric_limits<std::int32_t>::max()));
}

DecoderStep read_replacement(const files::JsonSection& section) {
  const files::JsonSection pattern = section.section("pattern");
  if (!pattern.has("String")) pattern.refuse_unsupported("a regular expression in a decoder");
  const std::string text = pattern.text("String");
  if (text.empty()) pattern.refuse_unsupported("an empty pattern");
  return replace_all(text, section.text("content"));
}

void add_steps(const files::JsonSection& section, Decoder& decoder) {
  const std::string type = section.text("type");
  if (type == "Sequence") {
    for (const files::JsonSection& part : section.sections("decoders")) add_steps(part, decoder);
  } else if (type == "ByteLevel") {
    decoder.add(join_byte_symbols);
  } else if (type == "ByteFallback") {
    decoder.add(join_byte_tokens);
  } else if (type == "Fuse") {
    decoder.add(fuse);
  } else if (type == "Replace") {
    decoder.add(read_replacement(section));
  } else if (type == "Strip") {
    decoder.add(
        strip_ends(character(section, "content"), count(section, "start"), count(section, "stop")));
  } else if (type == "Metaspace") {
    const Metaspace metaspace = read_metaspace(section);
    decoder.add(blanks_for(metaspace.blank, metaspace.beginning != Beginning::as_it_is));
  } else {
    section.refuse_unsupported(type);
  }
}

}  // namespace

Decoder read_decoder(const files::JsonSection& section) {
  Decoder decoder;
  add_steps(section, decoder);
  return decoder;
}

}  // namespace rankine::text
