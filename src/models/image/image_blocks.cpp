#include "models/image/image_blocks.hpp"

#include <algorithm>
#include <numeric>

#include "models/image/image_batch.hpp"

namespace rankine::models {

std::vector<Batch> own_blocks(const ImageSet& set, std::int64_t count, std::int64_t batch_size,
                              const parallel::Communicator& ranks, torch::ScalarType type) {
  std::vector<Batch> blocks(static_cast<std::size_t>((count + batch_size - 1) / batch_size));
  for (std::int64_t block = ranks.rank(); block < std::ssize(blocks); block += ranks.size()) {
    const std::int64_t first = block * batch_size;
    std::vector<std::int64_t> numbers(
        static_cast<std::size_t>(std::min(batch_size, count - first)));
    std::iota(numbers.begin(), numbers.end(), first);
    blocks[static_cast<std::size_t>(block)] = make_batch(set, numbers, type);
  }
  return blocks;
}

}  // namespace rankine::models
