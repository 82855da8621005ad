// An object within a JSON file together with its place there, which messages name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace rankine::files {

/// A view: file and document outlive it. All methods but `has` throw InputError, naming file and
/// place, if the object holds something of another kind.
class JsonSection {
 public:
  JsonSection(const nlohmann::json& object, std::string place, const std::filesystem::path& file);

  /// Whether there is a value other than null.
  bool has(const std::string& key) const;

  std::string text(const std::string& key) const;
  bool flag(const std::string& key) const;
  bool flag(const std::string& key, bool if_absent) const {
    return has(key) ? flag(key) : if_absent;
  }
  /// Finite.
  double number(const std::string& key) const;
  std::int64_t whole(const std::string& key, std::int64_t least, std::int64_t largest) const;
  /// An array of such numbers, or a single one.
  std::vector<std::int64_t> wholes(const std::string& key, std::int64_t least,
                                   std::int64_t largest) const;
  JsonSection section(const std::string& key) const;
  /// An array of objects.
  std::vector<JsonSection> sections(const std::string& key) const;
  const nlohmann::json& array(const std::string& key) const;
  std::vector<std::string> texts(const std::string& key) const;
  /// File and place, for messages.
  std::string name() const;
  /// All keys and values.
  const nlohmann::json& object() const { return object_; }

  /// An id: from 0 to 2^31 - 1.
  std::int32_t id(const std::string& key) const { return id_of(value(key)); }
  std::int32_t id_of(const nlohmann::json& value) const;

  [[noreturn]] void refuse_unsupported(const std::string& feature) const;
  [[noreturn]] void refuse_wrong(const std::string& reason) const;
  /// The value is one that is not supported; `why` says which are.
  [[noreturn]] void refuse_value(const std::string& key, const std::string& why) const;

  /// A value for messages: without what is in arrays and objects, and not of any length.
  static std::string shown(const nlohmann::json& value);

 private:
  const nlohmann::json& value(const std::string& key) const;
  [[noreturn]] void refuse_type(const std::string& key, const std::string& expected) const;
  std::string place_of(const std::string& key) const;

  const nlohmann::json& object_;
  std::string place_;
  const std::filesystem::path& file_;
};

}  // namespace rankine::files
