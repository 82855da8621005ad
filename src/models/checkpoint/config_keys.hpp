// The keys of a config.json: which were read, which say nothing about what a model computes, and
// which are not known.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "files/json_section.hpp"

namespace rankine::models {

/// An object of a config.json that remembers the keys asked for; what is read is thereby known.
class ConfigSection {
 public:
  explicit ConfigSection(files::JsonSection section) : section_(std::move(section)) {}

  bool has(const std::string& key) const { return noted(key).has(key); }
  /// Also where it is null.
  bool contains(const std::string& key) const { return noted(key).object().contains(key); }
  std::string text(const std::string& key) const { return noted(key).text(key); }
  bool flag(const std::string& key, bool if_absent) const {
    return noted(key).flag(key, if_absent);
  }
  double number(const std::string& key) const { return noted(key).number(key); }
  double number(const std::string& key, double if_absent) const {
    return has(key) ? number(key) : if_absent;
  }
  std::int64_t whole(const std::string& key, std::int64_t least, std::int64_t largest) const {
    return noted(key).whole(key, least, largest);
  }
  std::vector<std::string> texts(const std::string& key) const { return noted(key).texts(key); }
  ConfigSection section(const std::string& key) const {
    return ConfigSection(noted(key).section(key));
  }
  /// The key may be absent or have this value, written as JSON.
  void require(const std::string& key, std::string_view value) const;

  [[noreturn]] void refuse_value(const std::string& key, const std::string& why) const {
    section_.refuse_value(key, why);
  }
  [[noreturn]] void refuse_wrong(const std::string& why) const { section_.refuse_wrong(why); }
  std::string name() const { return section_.name(); }
  const files::JsonSection& json() const { return section_; }

  /// Keys that were not asked for, are not null, and are no notes of Hugging Face's software (which
  /// begin with "_").
  std::vector<std::string> unknown_keys() const;
  /// Throws InputError for the first of them.
  void refuse_unknown_keys() const;
  [[noreturn]] void refuse_unknown(const std::string& key) const;

 private:
  const files::JsonSection& noted(const std::string& key) const {
    read_.insert(key);
    return section_;
  }

  files::JsonSection section_;
  mutable std::set<std::string> read_;
};

/// Notices of keys that are neither read nor known to change nothing; `harmless` are such of the
/// architecture. Throws InputError for one whose name speaks of something that would change what a
/// model computes: the numbers would be wrong without a sign.
std::vector<std::string> check_unknown_keys(const ConfigSection& config,
                                            std::span<const char* const> harmless);

/// A notice where the file names code of the model's own that goes by the name of the stock class.
/// Throws InputError for other code.
std::vector<std::string> check_own_code(const ConfigSection& config, const char* class_name);

/// Throws InputError for weights that are no plain numbers.
void refuse_other_formats(const files::JsonSection& config);

}  // namespace rankine::models
