#include "models/checkpoint/manifest.hpp"

#include <fmt/format.h>

#include <limits>

#include "core/errors.hpp"
#include "core/input_file.hpp"
#include "files/json_document.hpp"
#include "files/json_section.hpp"

namespace rankine::models {

using nlohmann::json;

namespace {

constexpr const char* filetype = "rankine-model";
constexpr std::int64_t format_version = 2;
constexpr std::int64_t oldest_version = 1;  // without checksums

/// The format_version.
std::int64_t check_kind(const files::JsonSection& document) {
  if (document.text("filetype") != filetype)
    document.refuse_wrong(fmt::format("its filetype is not {}", filetype));
  const std::int64_t version =
      document.whole("format_version", 0, std::numeric_limits<std::int64_t>::max());
  if (version < oldest_version || version > format_version)
    throw InputError(
        fmt::format("Cannot use {} (its format_version is {}, this program reads {} and {}). "
                    "Use the release of Rankine that wrote it, or compress the model "
                    "anew.",
                    document.name(), version, oldest_version, format_version));
  return version;
}

/// The value of one of the names in `table`.
template <class Table>
auto named(const files::JsonSection& weight, const char* key, const Table& table) {
  const std::string name = weight.text(key);
  const auto value = value_named(table, name);
  if (!value) weight.refuse_wrong(fmt::format("there is no {} '{}' of weights", key, name));
  return *value;
}

files::DataType dense_type(const files::JsonSection& weight) {
  const std::string type = weight.text("dense_type");
  const auto found = files::data_type_named(type);
  if (!found || !files::is_floating_point(*found))
    weight.refuse_wrong(fmt::format("there is no type '{}' of weights", type));
  return *found;
}

StoredForm stored_form(const files::JsonSection& weight) {
  return {.form = named(weight, "form", weights::all_forms()),
          .rank = weight.whole("rank", 0, std::numeric_limits<std::int64_t>::max()),
          .storage = named(weight, "storage", weights::storage_names),
          .dense_type = dense_type(weight)};
}

files::TensorChecksums checksums_of(const files::JsonSection& document) {
  const files::JsonSection checksums = document.section("checksums");
  try {
    return files::checksums_from_json(checksums.object());
  } catch (const InputError& error) {
    checksums.refuse_wrong(error.what());
  }
}

/// Of a factorised folder; nothing for any other. What the matrices were before, older files do not
/// say.
std::optional<Manifest> read_factors(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "config.json";
  if (!input_exists(path)) return std::nullopt;
  const json document = files::read_json(path);
  if (!document.is_object() || !document.contains(stored_factors_key)) return std::nullopt;
  Manifest manifest{.file = "config.json", .method = "factorised"};
  const files::JsonSection weights =
      files::JsonSection(document, "", path).section(stored_factors_key);
  for (const auto& [name, value] : weights.object().items()) {
    const files::JsonSection weight = weights.section(name);
    StoredForm& stored = manifest.weights[name];
    stored.form = named(weight, "form", weights::all_forms());
    stored.rank = weight.whole("rank", 0, std::numeric_limits<std::int64_t>::max());
    if (weight.has("storage")) stored.storage = named(weight, "storage", weights::storage_names);
    if (weight.has("dense_type")) stored.dense_type = dense_type(weight);
  }
  return manifest;
}

}  // namespace

StoredForm Manifest::form_of(const std::string& weight) const {
  const auto found = weights.find(weight);
  return found == weights.end() ? StoredForm{} : found->second;
}

std::optional<Manifest> read_manifest(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / manifest_file_name;
  if (!input_exists(path)) return read_factors(folder);
  const json json_document = files::read_json(path);
  const files::JsonSection document(json_document, "", path);
  const std::int64_t version = check_kind(document);
  Manifest manifest{.program_version = document.text("program_version"),
                    .git_commit = document.text("git_commit"),
                    .method = document.text("method")};
  const auto precision = value_named(precision_names, document.text("precision"));
  if (!precision) document.refuse_value("precision", "\"float32\" and \"float64\" are");
  manifest.precision = *precision;
  const files::JsonSection weights = document.section("weights");
  for (const auto& [name, stored] : weights.object().items())
    manifest.weights[name] = stored_form(weights.section(name));
  if (version > oldest_version) manifest.checksums = checksums_of(document);
  return manifest;
}

std::string manifest_text(const Manifest& manifest) {
  json weights = json::object();
  for (const auto& [name, stored] : manifest.weights)
    weights[name] = {{"form", weights::name(stored.form)},
                     {"rank", stored.rank},
                     {"storage", weights::name(stored.storage)},
                     {"dense_type", files::name_of(stored.dense_type)}};
  const json document{{"filetype", filetype},
                      {"format_version", format_version},
                      {"program", "rankine-compress"},
                      {"program_version", manifest.program_version},
                      {"git_commit", manifest.git_commit},
                      {"method", manifest.method},
                      {"precision", name(manifest.precision)},
                      {"weights", std::move(weights)},
                      {"checksums", files::to_json(manifest.checksums.value())}};
  return document.dump(2) + "\n";
}

}  // namespace rankine::models
