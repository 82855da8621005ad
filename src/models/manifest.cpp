#include "models/manifest.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/errors.hpp"
#include "files/json_document.hpp"

namespace rankine::models {

using nlohmann::json;

namespace {

constexpr const char* filetype = "rankine-model";
constexpr std::int64_t format_version = 2;
constexpr std::int64_t oldest_version = 1;  // without checksums

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& reason,
                         const char* advice = "Write the compressed model anew.") {
  throw InputError(fmt::format("Cannot use '{}' ({}). {}", path.string(), reason, advice));
}

[[noreturn]] void refuse_key(const std::filesystem::path& path, const char* key) {
  refuse(path, fmt::format("'{}' is missing or of the wrong type", key));
}

const json& value_at(const json& object, const char* key, const std::filesystem::path& path) {
  if (!object.is_object() || !object.contains(key)) refuse_key(path, key);
  return object.at(key);
}

std::string text_at(const json& object, const char* key, const std::filesystem::path& path) {
  const json& found = value_at(object, key, path);
  if (!found.is_string()) refuse_key(path, key);
  return found.get<std::string>();
}

/// Not negative, and no fraction.
std::int64_t count_at(const json& object, const char* key, const std::filesystem::path& path) {
  const json& found = value_at(object, key, path);
  if (!found.is_number_unsigned() || found.get<std::int64_t>() < 0) refuse_key(path, key);
  return found.get<std::int64_t>();
}

/// The format_version.
std::int64_t check_kind(const json& document, const std::filesystem::path& path) {
  if (text_at(document, "filetype", path) != filetype)
    refuse(path, fmt::format("its filetype is not {}", filetype));
  const auto version = count_at(document, "format_version", path);
  if (version < oldest_version || version > format_version)
    refuse(path,
           fmt::format("its format_version is {}, this program reads {} and {}", version,
                       oldest_version, format_version),
           "Use the release of Rankine that wrote it, or compress the model anew.");
  return version;
}

StoredForm stored_form(const json& object, const std::filesystem::path& path) {
  const auto type = text_at(object, "dense_type", path);
  const auto dense_type = files::data_type_named(type);
  if (!dense_type || !files::is_floating_point(*dense_type))
    refuse(path, fmt::format("there is no type '{}' of numbers", type));
  return {.form = text_at(object, "form", path),
          .rank = count_at(object, "rank", path),
          .storage = text_at(object, "storage", path),
          .dense_type = *dense_type};
}

std::string precision_at(const json& document, const std::filesystem::path& path) {
  const auto name = text_at(document, "precision", path);
  if (name != "float32" && name != "float64")
    refuse(path, fmt::format("there is no precision '{}'", name));
  return name;
}

files::TensorChecksums checksums_at(const json& document, const std::filesystem::path& path) {
  try {
    return files::checksums_from_json(value_at(document, "checksums", path));
  } catch (const InputError& error) {
    refuse(path, error.what());
  }
}

}  // namespace

std::optional<Manifest> read_manifest(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / manifest_file_name;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  const json document = files::read_json(path);
  const std::int64_t version = check_kind(document, path);
  Manifest manifest{.program_version = text_at(document, "program_version", path),
                    .git_commit = text_at(document, "git_commit", path),
                    .method = text_at(document, "method", path),
                    .precision = precision_at(document, path)};
  const json& weights = value_at(document, "weights", path);
  if (!weights.is_object()) refuse_key(path, "weights");
  for (const auto& [name, stored] : weights.items())
    manifest.weights[name] = stored_form(stored, path);
  if (version > oldest_version) manifest.checksums = checksums_at(document, path);
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
                      {"weights", std::move(weights)},
                      {"checksums", files::to_json(manifest.checksums.value())}};
  return document.dump(2) + "\n";
}

}  // namespace rankine::models
