// rankine.json, which makes a folder a compressed model in its native form: what the weights of the
// layers are stored as.
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

struct StoredForm {
  weights::Form form = weights::Form::dense;
  std::int64_t rank = 0;  ///< as weights::StoredWeight::kept_rank
  weights::Storage storage = weights::Storage::exact;
  files::DataType dense_type = files::DataType::float32;  ///< of the matrix in the original
};

struct Manifest {
  std::string program_version;
  std::string git_commit;
  std::string method;                              ///< how the model was compressed, for people
  Precision precision = Precision::float32;        ///< of the arithmetic that made it
  std::map<std::string, StoredForm> weights = {};  ///< every weight of the layers by its name
  /// Of all tensors; nothing in files of format_version 1.
  std::optional<files::TensorChecksums> checksums = std::nullopt;
};

/// Nothing for a folder without rankine.json. Throws InputError, naming file and key, when it
/// cannot be used.
std::optional<Manifest> read_manifest(const std::filesystem::path& folder);

/// The text of the file, of a manifest with checksums.
std::string manifest_text(const Manifest& manifest);

}  // namespace rankine::models
