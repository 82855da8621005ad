// The header of one safetensors file: read and checked, or composed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "files/safetensors/safetensors.hpp"

namespace rankine::files {

/// Longest header that the format allows, in bytes.
inline constexpr std::uint64_t longest_header = 100'000'000;

struct SafetensorsHeader {
  std::vector<TensorEntry> tensors;  ///< in the order of their bytes
  std::map<std::string, std::string> metadata;
};

/// Reads and checks the header of `file`; entries get the shard number `shard`. The tensors must
/// fill the file without overlap or hole. Throws InputError, naming the file and, where there is
/// one, the tensor.
SafetensorsHeader read_header(const std::filesystem::path& file, std::size_t shard);

/// Number of values of a tensor. Throws InputError, naming `tensor` and `file`, if the shape has a
/// negative length or its values number more than 2^63 - 1.
std::int64_t count_values(std::span<const std::int64_t> shape, const std::string& tensor,
                          const std::filesystem::path& file);

/// The first bytes of a file that holds `tensors` in this order: length, header, padding. Sets
/// `begin` and `bytes` of each. `name`, `type` and `shape` are given.
std::string compose_header(std::span<TensorEntry> tensors);

}  // namespace rankine::files
