#include "models/json_section.hpp"

#include <fmt/core.h>

#include <limits>
#include <utility>

#include "core/errors.hpp"

namespace rankine::models {

using nlohmann::json;

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
  if (!value(key).is_string()) refuse_wrong(fmt::format("'{}' is not a text", key));
  return value(key).get<std::string>();
}

bool JsonSection::flag(const std::string& key) const {
  if (!value(key).is_boolean()) refuse_wrong(fmt::format("'{}' is neither true nor false", key));
  return value(key).get<bool>();
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
  if (!value(key).is_array()) refuse_wrong(fmt::format("'{}' is not an array", key));
  return value(key);
}

std::int32_t JsonSection::id_of(const json& value) const {
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max());
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > largest) {
    refuse_wrong(fmt::format("{} is not an id", value.dump()));
  }
  return value.get<std::int32_t>();
}

}  // namespace rankine::models
