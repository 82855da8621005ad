#include "files/json_document.hpp"

#include <fmt/core.h>

#include <unordered_set>
#include <vector>

#include "core/errors.hpp"
#include "core/input_file.hpp"

namespace rankine::files {

namespace {

using nlohmann::json;

/// Notices keys that an object names twice, where the library itself would keep the last of them,
/// and values within so many others that to walk through them would exhaust the stack.
class StrictReading {
 public:
  explicit StrictReading(const std::string& source) : source_(source) {}

  bool operator()(int depth, json::parse_event_t event, json& value) {
    if (depth > deepest)
      throw InputError(fmt::format(
          "Cannot use {} (values lie within more than {} others). Obtain the file anew.", source_,
          deepest));
    if (event == json::parse_event_t::object_start) open_objects_.emplace_back();
    if (event == json::parse_event_t::object_end) open_objects_.pop_back();
    if (event == json::parse_event_t::key) check(value.get_ref<const std::string&>());
    return true;
  }

 private:
  void check(const std::string& key) {
    if (open_objects_.back().insert(key).second) return;
    throw InputError(
        fmt::format("Cannot use {} (it names '{}' twice). Remove one of the two.", source_, key));
  }

  static constexpr int deepest = 100;
  const std::string& source_;
  std::vector<std::unordered_set<std::string>> open_objects_;
};

/// The library's message without prefixes such as "[json.exception.parse_error.101] parse error ".
std::string explain(const json::exception& error) {
  const std::string text = error.what();
  for (const std::string_view start : {"at line", "at byte", "number overflow"}) {
    if (const auto place = text.find(start); place != text.npos) return text.substr(place);
  }
  return text;
}

}  // namespace

json parse_json(std::string_view text, const std::string& source) {
  try {
    return json::parse(text, StrictReading(source));
  } catch (const json::exception& error) {
    throw InputError(fmt::format("Cannot read {} (not valid JSON, {}). Obtain the file anew.",
                                 source, explain(error)));
  }
}

json read_json(const std::filesystem::path& path) {
  return parse_json(read_text(path), fmt::format("'{}'", path.string()));
}

std::string read_text(const std::filesystem::path& path) { return read_input(path); }

}  // namespace rankine::files
