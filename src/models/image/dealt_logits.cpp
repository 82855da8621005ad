#include "models/image/dealt_logits.hpp"

#include <algorithm>
#include <numeric>
#include <span>

#include "core/progress.hpp"
#include "models/image/image_batch.hpp"

namespace rankine::models {

using parallel::Communicator;

namespace {

std::int64_t blocks_of(std::int64_t images, std::int64_t batch_size) {
  return (images + batch_size - 1) / batch_size;
}

/// Of the first `count` images.
Batch block_of(const ImageSet& set, std::int64_t count, std::int64_t block,
               std::int64_t batch_size, torch::ScalarType type) {
  const std::int64_t first = block * batch_size;
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(std::min(batch_size, count - first)));
  std::iota(numbers.begin(), numbers.end(), first);
  return make_batch(set, numbers, type);
}

}  // namespace

std::vector<double> dealt_logits(const ImageNetwork& network, const ImageSet& set,
                                 std::int64_t batch_size, const Communicator& ranks,
                                 const std::function<void()>& between) {
  const torch::NoGradGuard no_gradients;
  const auto type = network.number_type();
  const std::int64_t blocks = blocks_of(set.size(), batch_size), classes = network.plan().classes;
  std::vector<double> logits(static_cast<std::size_t>(set.size() * classes), 0.0);
  ProgressLine progress(ranks.rank() == 0 ? Output::shown : Output::silent);
  for (std::int64_t first = 0; first < blocks; first += ranks.size()) {
    between();
    const std::int64_t block = first + ranks.rank();
    if (block < blocks) {
      const Batch batch = block_of(set, set.size(), block, batch_size, type);
      const torch::Tensor values =
          network.logits(batch.inputs).to(torch::kFloat64).contiguous();
      std::copy_n(values.data_ptr<double>(), values.numel(),
                  logits.begin() + block * batch_size * classes);
    }
    progress.update(static_cast<double>(std::min(first + ranks.size(), blocks)) /
                        static_cast<double>(blocks),
                    "images are classified");
  }
  if (ranks.size() > 1) ranks.sum(std::span(logits));  // one rank has each, the others zeros
  return logits;
}

std::vector<Batch> own_blocks(const ImageSet& set, std::int64_t count, std::int64_t batch_size,
                              const Communicator& ranks, torch::ScalarType type) {
  std::vector<Batch> blocks(static_cast<std::size_t>(blocks_of(count, batch_size)));
  for (std::int64_t block = ranks.rank(); block < std::ssize(blocks); block += ranks.size())
    blocks[static_cast<std::size_t>(block)] = block_of(set, count, block, batch_size, type);
  return blocks;
}

}  // namespace rankine::models
