// What the weights of a model are stored as: rankine.json says it of a compressed model in its
// native form, config.json of a factorised one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "files/data_type.hpp"
#include "files/safetensors/tensor_checksums.hpp"
#include "models/precision.hpp"
#include "weights/forms/form.hpp"
#include "weights/storage/storage.hpp"

namespace rankine::models {

inline constexpr const char* manifest_file_name = "rankine.json";
/// In config.json: the weights that are stored as factors.
inline constexpr const char* stored_factors_key = "rankine_forms";

struct StoredForm {
  weights::Form form = weights::Form::dense;
  std::int64_t rank = 0;  ///< as weights::StoredWeight::kept_rank
  weights::Storage storage = weights::Storage::exact;
  files::DataType dense_type = files::DataType::float32;  ///< of the matrix in the original
};

struct Manifest {
  std::string file = manifest_file_name;  ///< that says so
  std::string program_version = {};
  std::string git_commit = {};
  std::string method = {};                   ///< how the model was compressed, for people
  Precision precision = Precision::float32;  ///< of the arithmetic that made it
  /// Weights of layers and vocabulary by their names: of a native folder all (of an older one those
  /// of the layers), of a factorised one those that are not dense.
  std::map<std::string, StoredForm> weights = {};
  /// Of all tensors; nothing in files of format_version 1.
  std::optional<files::TensorChecksums> checksums = std::nullopt;

  bool is_native() const { return file == manifest_file_name; }
  /// Of a weight that is not listed: dense.
  StoredForm form_of(const std::string& weight) const;
};

/// Nothing for a folder with neither rankine.json nor such a key in config.json. Throws InputError,
/// naming file and key, when it cannot be used.
std::optional<Manifest> read_manifest(const std::filesystem::path& folder);

/// The text of the file, of a manifest with checksums.
std::string manifest_text(const Manifest& manifest);

}  // namespace rankine::models
