#include "files/json_section.hpp"

#include <fmt/core.h>

#include <cmath>
#include <limits>
#include <utility>

#include "core/errors.hpp"

namespace rankine::files {

using nlohmann::json;

namespace {

bool is_whole(const json& value, std::int64_t least, std::int64_t largest) {
  constexpr std::uint64_t end = std::numeric_limits<std::int64_t>::max();
  if (!value.is_number_integer()) return false;
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > end) return false;
  return value.get<std::int64_t>() >= least && value.get<std::int64_t>() <= largest;
}

}  // namespace

JsonSection::JsonSection(const json& object, std::string place, const std::filesystem::path& file)
    : object_(object), place_(std::move(place)), file_(file) {
  if (!object_.is_object()) refuse_wrong("this is not an object");
}

void JsonSection::refuse_unsupported(const std::string& feature) const {
  throw InputError(
      fmt::format("Cannot use '{}' ({}{}{} is not supported). Use a model without it; "
                  "docs/file_formats.md lists what is supported.",
                  file_.string(), place_, place_.empty() ? "" : ": ", feature));
}

void JsonSection::refuse_wrong(const std::string& reason) const {
  throw InputError(fmt::format("Cannot use '{}' ({}{}{}). Obtain the file anew.", file_.string(),
                               place_, place_.empty() ? "" : ": ", reason));
}

void JsonSection::refuse_value(const std::string& key, const std::string& why) const {
  throw InputError(
      fmt::format("Cannot use '{}' ({} = {} is not supported: {}). Use another checkpoint.",
                  file_.string(), place_of(key), shown(value(key)), why));
}

void JsonSection::refuse_type(const std::string& key, const std::string& expected) const {
  throw InputError(fmt::format("Cannot use '{}' ({} = {} is not {}). Obtain the file anew.",
                               file_.string(), place_of(key), shown(value(key)), expected));
}

std::string JsonSection::shown(const json& value) {
  if (value.is_object()) return "{...}";
  if (value.is_array()) return "[...]";
  constexpr std::size_t longest = 60;
  const std::string text = value.dump(-1, ' ', true);
  return text.size() <= longest ? text : text.substr(0, longest) + "...";
}

std::string JsonSection::name() const {
  return fmt::format("'{}'{}{}", file_.string(), place_.empty() ? "" : ", ", place_);
}

bool JsonSection::has(const std::string& key) const {
  const auto found = object_.find(key);
  return found != object_.end() && !found->is_null();
}

const json& JsonSection::value(const std::string& key) const {
  if (!has(key)) refuse_wrong(fmt::format("'{}' is missing", key));
  return *object_.find(key);
}

std::string JsonSection::place_of(const std::string& key) const {
  return place_.empty() ? key : place_ + "." + key;
}

std::string JsonSection::text(const std::string& key) const {
  if (!value(key).is_string()) refuse_type(key, "a text");
  return value(key).get<std::string>();
}

bool JsonSection::flag(const std::string& key) const {
  if (!value(key).is_boolean()) refuse_type(key, "true or false");
  return value(key).get<bool>();
}

double JsonSection::number(const std::string& key) const {
  if (!value(key).is_number() || !std::isfinite(value(key).get<double>()))
    refuse_type(key, "a finite number");
  return value(key).get<double>();
}

std::int64_t JsonSection::whole(const std::string& key, std::int64_t least,
                                std::int64_t largest) const {
  if (!is_whole(value(key), least, largest))
    refuse_type(key, fmt::format("a whole number from {} to {}", least, largest));
  return value(key).get<std::int64_t>();
}

std::vector<std::int64_t> JsonSection::wholes(const std::string& key, std::int64_t least,
                                              std::int64_t largest) const {
  if (!value(key).is_array()) return {whole(key, least, largest)};
  std::vector<std::int64_t> numbers;
  for (const json& number : value(key)) {
    if (!is_whole(number, least, largest))
      refuse_wrong(fmt::format("{} holds {}, which is no whole number from {} to {}", place_of(key),
                               shown(number), least, largest));
    numbers.push_back(number.get<std::int64_t>());
  }
  return numbers;
}

JsonSection JsonSection::section(const std::string& key) const {
  return JsonSection(value(key), place_of(key), file_);
}

std::vector<JsonSection> JsonSection::sections(const std::string& key) const {
  std::vector<JsonSection> sections;
  for (const json& element : array(key)) {
    sections.emplace_back(element, fmt::format("{}[{}]", place_of(key), sections.size()), file_);
  }
  return sections;
}

const json& JsonSection::array(const std::string& key) const {
  if (!value(key).is_array()) refuse_type(key, "an array");
  return value(key);
}

std::vector<std::string> JsonSection::texts(const std::string& key) const {
  std::vector<std::string> texts;
  for (const json& element : array(key)) {
    if (!element.is_string()) refuse_type(key, "an array of texts");
    texts.push_back(element.get<std::string>());
  }
  return texts;
}

std::int32_t JsonSection::id_of(const json& value) const {
  if (!is_whole(value, 0, std::numeric_limits<std::int32_t>::max()))
    refuse_wrong(fmt::format("{} is not an id", shown(value)));
  return value.get<std::int32_t>();
}

}  // namespace rankine::files
