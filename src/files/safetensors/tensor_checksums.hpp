// Checksums of the tensors in a checkpoint: by them damage is noticed that leaves the headers
// whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "parallel/communicator.hpp"

namespace rankine::files {

/// Of each tensor, by its name.
using TensorChecksums = std::map<std::string, std::uint64_t>;

/// The part that `bytes` have in the checksum of a tensor that they are the words from `first_word`
/// on of: words of 8 bytes, the last one of the tensor filled up with zeros. Parts are added modulo
/// 2^64. A tensor that differs in one word has another checksum; others do but for chance.
std::uint64_t partial_checksum(std::uint64_t first_word, std::span<const std::byte> bytes);

/// 16 hexadecimal digits, as in JSON files, and the way back; nothing for another text.
std::string checksum_text(std::uint64_t checksum);
std::optional<std::uint64_t> parse_checksum(std::string_view text);

/// Of all tensors of the checkpoint `path` (as for SafetensorsReader). Collective over `ranks`,
/// which share the bytes evenly. Throws InputError on all ranks.
TensorChecksums checksums_of(const parallel::Communicator& ranks,
                             const std::filesystem::path& path);

/// Holds the checkpoint `path` against what the file `list` says of it. Collective over `ranks`.
/// Throws InputError on all ranks, naming the tensor, if one has another checksum, or the two do
/// not speak of the same tensors.
void verify_tensors(const parallel::Communicator& ranks, const std::filesystem::path& path,
                    const TensorChecksums& expected, std::string_view list);

/// An object of names and checksum_text. The way back throws InputError with what is wrong, as a
/// clause.
nlohmann::json to_json(const TensorChecksums& checksums);
TensorChecksums checksums_from_json(const nlohmann::json& json);

}  // namespace rankine::files
