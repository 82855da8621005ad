#include "files/safetensors/tensor_checksums.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "core/errors.hpp"
#include "files/safetensors/layout.hpp"
#include "files/safetensors/tensor_rows.hpp"
#include "parallel/agreement.hpp"
#include "parallel/file.hpp"

namespace rankine::files {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t word_bytes = 8;

std::uint64_t words_in(std::uint64_t bytes) { return (bytes + word_bytes - 1) / word_bytes; }

/// The last step of splitmix64: one to one, so that no change of a word gets lost.
std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

std::uint64_t mixed_word(std::uint64_t place, std::uint64_t word) {
  return mixed(word + place * 0x9e3779b97f4a7c15u);
}

/// One rank's share of the words of all tensors, one tensor after the other.
class OwnWords {
 public:
  OwnWords(const parallel::Communicator& ranks, const fs::path& folder,
           const SafetensorsLayout& layout)
      : folder_(folder), layout_(layout), open_shards_(layout.shards.size()) {
    std::uint64_t all = 0;
    for (const TensorEntry& tensor : layout.tensors) all += words_in(tensor.bytes);
    const auto bound = [&](int rank) {
      const auto n = static_cast<std::uint64_t>(ranks.size()), r = static_cast<std::uint64_t>(rank);
      return all / n * r + std::min(r, all % n);
    };
    begin_ = bound(ranks.rank());
    end_ = bound(ranks.rank() + 1);
  }

  /// Their part in each tensor's checksum.
  std::vector<std::uint64_t> checksums() {
    std::vector<std::uint64_t> sums;
    std::uint64_t first = 0;
    for (const TensorEntry& tensor : layout_.tensors) {
      const std::uint64_t words = words_in(tensor.bytes);
      const std::uint64_t begin = std::clamp(begin_, first, first + words) - first;
      const std::uint64_t end = std::clamp(end_, first, first + words) - first;
      sums.push_back(sum_of(tensor, begin, end));
      first += words;
    }
    return sums;
  }

 private:
  std::uint64_t sum_of(const TensorEntry& tensor, std::uint64_t begin, std::uint64_t end) {
    std::uint64_t sum = 0;
    while (begin < end) {
      const std::uint64_t words =
          std::min<std::uint64_t>(end - begin, longest_conversion / word_bytes);
      const std::uint64_t offset = begin * word_bytes;
      buffer_.resize(std::min(words * word_bytes, tensor.bytes - offset));
      shard_of(tensor).read(tensor.begin + offset, buffer_);
      sum += partial_checksum(begin, buffer_);
      begin += words;
    }
    return sum;
  }

  const parallel::File& shard_of(const TensorEntry& tensor) {
    auto& shard = open_shards_[tensor.shard];
    if (!shard) shard.emplace(folder_ / layout_.shards[tensor.shard], parallel::File::Access::read);
    return *shard;
  }

  fs::path folder_;
  const SafetensorsLayout& layout_;
  std::vector<std::optional<parallel::File>> open_shards_;
  std::uint64_t begin_;
  std::uint64_t end_;
  std::vector<std::byte> buffer_;
};

}  // namespace

std::uint64_t partial_checksum(std::uint64_t first_word, std::span<const std::byte> bytes) {
  const std::size_t whole = bytes.size() / word_bytes;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < whole; ++i) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + i * word_bytes, word_bytes);
    sum += mixed_word(first_word + i, word);
  }
  if (const auto rest = bytes.subspan(whole * word_bytes); !rest.empty()) {
    std::uint64_t word = 0;
    std::memcpy(&word, rest.data(), rest.size());
    sum += mixed_word(first_word + whole, word);
  }
  return sum;
}

std::string checksum_text(std::uint64_t checksum) { return fmt::format("{:016x}", checksum); }

std::optional<std::uint64_t> parse_checksum(std::string_view text) {
  std::uint64_t checksum = 0;
  const char* end = text.data() + text.size();
  const bool is_read = std::from_chars(text.data(), end, checksum, 16).ptr == end;
  return is_read && text.size() == 16 ? std::optional(checksum) : std::nullopt;
}

TensorChecksums checksums_of(const parallel::Communicator& ranks, const fs::path& path) {
  const SafetensorsLayout layout = read_layout(ranks, path);
  auto sums = parallel::agree_on_failure(
      ranks, [&] { return OwnWords(ranks, folder_of(path), layout).checksums(); });
  ranks.sum(std::span(sums));
  TensorChecksums checksums;
  for (std::size_t i = 0; i < sums.size(); ++i) checksums[layout.tensors[i].name] = sums[i];
  return checksums;
}

void verify_tensors(const parallel::Communicator& ranks, const fs::path& path,
                    const TensorChecksums& expected, std::string_view list) {
  const TensorChecksums found = checksums_of(ranks, path);
  const auto refuse = [&](const std::string& what, const std::string& why) {
    throw known_to_all(ranks.size(), InputError(fmt::format("{} ({}). Obtain the folder '{}' anew.",
                                                            what, why, path.string())));
  };
  for (const auto& [name, sum] : found) {
    const auto entry = expected.find(name);
    if (entry == expected.end())
      refuse(fmt::format("The tensor {} is not listed in {}", name, list),
             "it is not part of what was written");
    if (entry->second != sum)
      refuse(fmt::format("The tensor {} is damaged", name),
             fmt::format("its checksum is {}, {} says {}", checksum_text(sum), list,
                         checksum_text(entry->second)));
  }
  for (const auto& [name, sum] : expected)
    if (!found.contains(name))
      refuse(fmt::format("The tensor {} is missing", name), fmt::format("{} lists it", list));
}

nlohmann::json to_json(const TensorChecksums& checksums) {
  auto json = nlohmann::json::object();
  for (const auto& [name, sum] : checksums) json[name] = checksum_text(sum);
  return json;
}

TensorChecksums checksums_from_json(const nlohmann::json& json) {
  if (!json.is_object()) throw InputError("its checksums are no object");
  TensorChecksums checksums;
  for (const auto& [name, value] : json.items()) {
    const auto sum = value.is_string() ? parse_checksum(value.get<std::string>()) : std::nullopt;
    if (!sum)
      throw InputError(fmt::format("the checksum of {} is not 16 hexadecimal digits", name));
    checksums[name] = *sum;
  }
  return checksums;
}

}  // namespace rankine::files
