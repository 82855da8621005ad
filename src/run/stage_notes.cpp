#include "run/stage_notes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "core/version.hpp"
#include "files/json_document.hpp"
#include "run/fingerprint.hpp"

namespace rankine::run {

using nlohmann::json;

namespace {

constexpr std::int64_t format_version = 2;
constexpr std::string_view seal_begin = ",\"checksum\":\"";
constexpr std::string_view seal_end = "\"}";
constexpr std::size_t digits = 16;

std::string seal_of(std::string_view body) {
  return fmt::format("{}{}{}", seal_begin, files::checksum_text(Fingerprint().add(body).value()),
                     seal_end);
}

const json& member(const json& document, const char* key) {
  const auto found = document.find(key);
  if (found == document.end()) throw InputError(fmt::format("its stage.json has no '{}'", key));
  return *found;
}

std::string text_member(const json& document, const char* key) {
  const json& value = member(document, key);
  if (!value.is_string()) throw InputError(fmt::format("'{}' in its stage.json is no text", key));
  return value.get<std::string>();
}

deck::DeckValues values_member(const json& document) {
  const json& values = member(document, "values");
  const auto is_text = [](const json& value) { return value.is_string(); };
  if (!values.is_object() || !std::ranges::all_of(values, is_text))
    throw InputError("'values' in its stage.json are no values of a deck");
  return values.get<deck::DeckValues>();
}

/// The object that was sealed. Before anything is read of it the seal is looked at.
json unsealed(const std::string& text) {
  const std::size_t length = seal_begin.size() + digits + seal_end.size();
  const std::string body = text.substr(0, text.size() - std::min(length, text.size()));
  if (body.empty() || text.substr(body.size()) != seal_of(body))
    throw InputError("its stage.json is damaged: the checksum at its end is not that of the text");
  return files::parse_json(body + "}", "stage.json");
}

}  // namespace

std::string text_of(const StageNotes& notes) {
  const json document{{"format_version", format_version},
                      {"program_version", program_version()},
                      {"folder", notes.folder},
                      {"deck", files::checksum_text(notes.of_deck)},
                      {"notes", notes.notes},
                      {"values", notes.values},
                      {"tensors", files::to_json(notes.tensors)}};
  std::string body = document.dump();
  body.pop_back();
  return sealed(body);
}

std::string sealed(const std::string& body) { return body + seal_of(body); }

StageNotes stage_notes_of(const std::string& text) {
  const json document = unsealed(text);
  const json& version = member(document, "format_version");
  if (!version.is_number_integer() || version != format_version)
    throw InputError(
        fmt::format("the format_version of its stage.json is {}, this program reads {}",
                    version.dump(), format_version));
  const auto deck = files::parse_checksum(text_member(document, "deck"));
  if (!deck) throw InputError("'deck' in its stage.json is no fingerprint");
  return {.folder = text_member(document, "folder"),
          .of_deck = *deck,
          .notes = member(document, "notes"),
          .values = values_member(document),
          .tensors = files::checksums_from_json(member(document, "tensors"))};
}

}  // namespace rankine::run
