#include "models/manifest.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/errors.hpp"
#include "files/json_document.hpp"

namespace rankine::models {

using nlohmann::json;

namespace {

constexpr const char* filetype = "rankine-model";
constexpr std::int64_t format_version = 1;

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& reason,
                         const char* advice = "Write the compressed model anew.") {
  throw InputError(fmt::format("Cannot use '{}' ({}). {}", path.string(), reason, advice));
}

template <class T>
T value(const json& object, const char* key, const std::filesystem::path& path) {
  try {
    return object.at(key).get<T>();
  } catch (const json::exception&) {
    refuse(path, fmt::format("'{}' is missing or of the wrong type", key));
  }
}

void check_kind(const json& document, const std::filesystem::path& path) {
  if (value<std::string>(document, "filetype", path) != filetype)
    refuse(path, fmt::format("its filetype is not {}", filetype));
  const auto version = value<std::int64_t>(document, "format_version", path);
  if (version != format_version)
    refuse(path,
           fmt::format("its format_version is {}, this program reads {}", version, format_version),
           "Use the release of Rankine that wrote it, or compress the model anew.");
}

StoredForm stored_form(const json& object, const std::filesystem::path& path) {
  const auto type = value<std::string>(object, "dense_type", path);
  const auto dense_type = files::data_type_named(type);
  if (!dense_type) refuse(path, fmt::format("there is no type '{}' of numbers", type));
  return {.form = value<std::string>(object, "form", path),
          .rank = value<std::int64_t>(object, "rank", path),
          .storage = value<std::string>(object, "storage", path),
          .dense_type = *dense_type};
}

}  // namespace

std::optional<Manifest> read_manifest(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / manifest_file_name;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  const json document = files::read_json(path);
  check_kind(document, path);
  Manifest manifest{.program_version = value<std::string>(document, "program_version", path),
                    .git_commit = value<std::string>(document, "git_commit", path),
                    .method = value<std::string>(document, "method", path),
                    .precision = value<std::string>(document, "precision", path)};
  for (const auto& [name, stored] : value<json::object_t>(document, "weights", path))
    manifest.weights[name] = stored_form(stored, path);
  return manifest;
}

std::string manifest_text(const Manifest& manifest) {
  json weights = json::object();
  for (const auto& [name, stored] : manifest.weights)
    weights[name] = {{"form", stored.form},
                     {"rank", stored.rank},
                     {"storage", stored.storage},
                     {"dense_type", files::name_of(stored.dense_type)}};
  const json document{{"filetype", filetype},
                      {"format_version", format_version},
                      {"program", "rankine-compress"},
                      {"program_version", manifest.program_version},
                      {"git_commit", manifest.git_commit},
                      {"method", manifest.method},
                      {"precision", manifest.precision},
                      {"weights", std::move(weights)}};
  return document.dump(2) + "\n";
}

}  // namespace rankine::models
