#include "models/checksum.hpp"

#include <cstring>
#include <string>

#include "core/profile.hpp"

namespace rankine::models {

namespace {

std::uint64_t hash_of(const std::string& name) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

/// Sum of each number's bits times an odd number that tells its place; order does not matter.
template <class Word>
std::uint64_t weighted_sum(const void* values, std::int64_t count, std::uint64_t first_place) {
  const auto* bytes = static_cast<const unsigned char*>(values);
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    Word word;
    std::memcpy(&word, bytes + static_cast<std::size_t>(i) * sizeof(Word), sizeof(Word));
    sum += (2 * (first_place + static_cast<std::uint64_t>(i)) + 1) * word;
  }
  return sum;
}

std::uint64_t own_sum(const weights::Parameter& parameter) {
  const torch::Tensor values = parameter.values.detach().contiguous();
  const std::int64_t rows = values.dim() == 0 ? 1 : values.size(0);
  const std::int64_t length = rows == 0 ? 0 : values.numel() / rows;
  const auto first_place = static_cast<std::uint64_t>(parameter.first_row * length);
  switch (values.element_size()) {
    case 8:
      return weighted_sum<std::uint64_t>(values.data_ptr(), values.numel(), first_place);
    case 4:
      return weighted_sum<std::uint32_t>(values.data_ptr(), values.numel(), first_place);
    default:
      return weighted_sum<std::uint8_t>(values.data_ptr(), values.numel(), first_place);
  }
}

}  // namespace

std::uint64_t checksum(const Network& network) {
  const ProfileStage stage("checksums", Flops::counted);
  std::uint64_t sum = 0;
  const auto add = [&](const std::string& name, const weights::Parameter& parameter) {
    if (parameter.placement == weights::Placement::copy && network.team().rank() != 0) return;
    sum += own_sum(parameter) * (hash_of(name) | 1u);
  };
  for (const weights::Parameter& parameter : network.parameters()) add(parameter.name, parameter);
  const auto add_all = [&](const std::string& name,
                           const std::vector<weights::Parameter>& tensors) {
    for (const weights::Parameter& tensor : tensors) add(name + "." + tensor.name, tensor);
  };
  for (const auto& slots : {network.slots(), network.outer_slots()})
    for (const Slot* slot : slots) {
      add_all(slot->name(), slot->weight()->indices());
      const auto base = slot->weight()->base();
      if (!base) continue;
      add_all(slot->name(), base->parameters());
      add_all(slot->name(), base->indices());
    }
  return network.team().sum(sum);
}

}  // namespace rankine::models
