#include "files/safetensors/plan.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <utility>

#include "core/errors.hpp"
#include "files/safetensors/header.hpp"
#include "files/safetensors/layout.hpp"

namespace rankine::files {

namespace {

[[noreturn]] void refuse(const TensorPlan& tensor, const std::filesystem::path& folder,
                         const char* reason) {
  throw InputError(
      fmt::format("Cannot write tensor '{}' to '{}' ({}). Write each tensor once, as "
                  "F64, F32, F16, BF16, U8, I16 or I32.",
                  tensor.name, folder.string(), reason));
}

void check(std::span<const TensorPlan> tensors, const std::filesystem::path& folder) {
  std::set<std::string_view> names;
  for (const TensorPlan& tensor : tensors) {
    if (tensor.name == "__metadata__") refuse(tensor, folder, "the format reserves this name");
    if (!names.insert(tensor.name).second) refuse(tensor, folder, "it is planned twice");
    if (!can_encode(tensor.type))
      refuse(tensor, folder, "its type is not floating-point, U8, I16 or I32");
  }
}

/// Entries in planned order with their shard numbers.
std::vector<TensorEntry> assign_shards(std::vector<TensorPlan> tensors, std::uint64_t largest_shard,
                                       const std::filesystem::path& folder) {
  std::vector<TensorEntry> entries;
  std::size_t shard = 0;
  std::uint64_t filled = 0;
  for (TensorPlan& tensor : tensors) {
    const auto values = count_values(tensor.shape, tensor.name, folder);
    const std::uint64_t bytes = static_cast<std::uint64_t>(values) * size_of(tensor.type);
    if (filled > 0 && bytes > largest_shard - std::min(filled, largest_shard)) {
      ++shard;
      filled = 0;
    }
    filled += bytes;
    entries.push_back(
        {std::move(tensor.name), tensor.type, std::move(tensor.shape), shard, 0, bytes});
  }
  return entries;
}

std::string shard_name(std::size_t number, std::size_t n_shards) {
  if (n_shards == 1) return single_file_name;
  return fmt::format("model-{:05}-of-{:05}.safetensors", number + 1, n_shards);
}

std::string compose_index(const ShardPlan& plan) {
  std::uint64_t total = 0;
  nlohmann::json weight_map = nlohmann::json::object();
  for (const TensorEntry& tensor : plan.tensors) {
    total += tensor.bytes;
    weight_map[tensor.name] = plan.shards[tensor.shard].name;
  }
  const nlohmann::json document = {{"metadata", {{"total_size", total}}},
                                   {"weight_map", std::move(weight_map)}};
  return document.dump(2) + "\n";
}

}  // namespace

ShardPlan plan_shards(std::vector<TensorPlan> tensors, std::uint64_t largest_shard,
                      const std::filesystem::path& folder) {
  check(tensors, folder);
  ShardPlan plan;
  plan.tensors = assign_shards(std::move(tensors), largest_shard, folder);
  const std::size_t n_shards = plan.tensors.empty() ? 1 : plan.tensors.back().shard + 1;
  auto first = plan.tensors.begin();
  for (std::size_t number = 0; number < n_shards; ++number) {
    const auto last = std::find_if(first, plan.tensors.end(), [number](const TensorEntry& tensor) {
      return tensor.shard > number;
    });
    std::string header = compose_header(std::span(first, last));
    std::uint64_t bytes = header.size();
    for (; first != last; ++first) bytes += first->bytes;
    plan.shards.push_back({shard_name(number, n_shards), std::move(header), bytes});
  }
  std::ranges::sort(plan.tensors, {}, &TensorEntry::name);
  if (n_shards > 1) plan.index = compose_index(plan);
  return plan;
}

}  // namespace rankine::files
