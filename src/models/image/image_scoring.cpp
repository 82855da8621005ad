#include "models/image/image_scoring.hpp"

#include <algorithm>
#include <numeric>
#include <span>

#include "core/profile.hpp"
#include "models/image/image_batch.hpp"
#include "parallel/agreement.hpp"

namespace rankine::models {

namespace {

/// The logits of consecutive images from `first` on; `logits` has room for as many as there are.
void score_block(const ImageNetwork& network, const ImageSet& set, std::int64_t first,
                 torch::ScalarType type, std::span<double> logits) {
  const torch::InferenceMode no_gradients;
  std::vector<std::int64_t> numbers(logits.size() /
                                    static_cast<std::size_t>(network.plan().classes));
  std::iota(numbers.begin(), numbers.end(), first);
  const torch::Tensor scored =
      network.logits(make_batch(set, numbers, type).inputs).to(torch::kFloat64).contiguous();
  std::copy_n(scored.data_ptr<double>(), logits.size(), logits.begin());
}

}  // namespace

std::vector<double> score_images(const ImageNetwork& network, const ImageSet& set,
                                 std::int64_t batch_size, const parallel::Communicator& world,
                                 const std::function<void(double)>& between) {
  const ProfileStage stage("scoring");
  const torch::ScalarType type = network.number_type();
  const auto classes = static_cast<std::size_t>(network.plan().classes);
  std::vector<double> logits(static_cast<std::size_t>(set.size()) * classes);
  const std::int64_t turn = batch_size * world.size();
  for (std::int64_t first = 0; first < set.size(); first += turn) {
    if (between && first > 0) between(static_cast<double>(first) / static_cast<double>(set.size()));
    parallel::agree_on_failure(world, [&] {
      const std::int64_t own = first + batch_size * world.rank();
      const std::int64_t count = std::min(batch_size, set.size() - own);
      if (count > 0)
        score_block(network, set, own, type,
                    std::span(logits).subspan(static_cast<std::size_t>(own) * classes,
                                              static_cast<std::size_t>(count) * classes));
    });
  }
  world.sum(std::span(logits));  // of each image one rank has the logits, the others zeros
  return logits;
}

}  // namespace rankine::models
