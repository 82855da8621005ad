#include "models/image/image_blocks.hpp"

#include <algorithm>

#include "models/image/image_batch.hpp"

namespace rankine::models {

std::vector<Batch> own_blocks(const ImageSet& set, std::span<const std::int64_t> numbers,
                              std::int64_t batch_size, const parallel::Communicator& ranks,
                              torch::ScalarType type) {
  const std::int64_t count = std::ssize(numbers);
  std::vector<Batch> blocks(static_cast<std::size_t>((count + batch_size - 1) / batch_size));
  for (std::int64_t block = ranks.rank(); block < std::ssize(blocks); block += ranks.size()) {
    const std::int64_t first = block * batch_size;
    const auto size = static_cast<std::size_t>(std::min(batch_size, count - first));
    blocks[static_cast<std::size_t>(block)] =
        make_batch(set, numbers.subspan(static_cast<std::size_t>(first), size), type);
  }
  return blocks;
}

}  // namespace rankine::models
