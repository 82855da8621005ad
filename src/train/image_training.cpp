#include "train/image_training.hpp"

#include <memory>
#include <numeric>
#include <span>

#include "core/random_stream.hpp"
#include "weights/making/orthonormal_factors.hpp"
#include "weights/rows/row_split.hpp"

namespace rankine::train {

using models::ImageNetwork;
using models::ImageSet;
using parallel::Communicator;
using torch::Tensor;
using weights::RowSplit;

namespace {

/// Which images each rank takes in each step.
class Deal {
 public:
  Deal(std::int64_t images, const ImageTraining& how)
      : steps_(steps_per_epoch(images, how.batch_size)),
        split_(RowSplit::even(images, static_cast<int>(steps_))),
        seed_(how.seed),
        order_(static_cast<std::size_t>(images)) {}

  std::int64_t epoch_of(std::int64_t step) const { return step / steps_; }
  std::int64_t batch_size(std::int64_t step) const {
    return split_.count(static_cast<int>(step % steps_));
  }

  /// The numbers of the images of a rank; maybe none.
  std::span<const std::int64_t> images_of(std::int64_t step, const Communicator& world) {
    shuffle_for(epoch_of(step));
    const int part = static_cast<int>(step % steps_);
    const RowSplit shares = RowSplit::even(split_.count(part), world.size());
    return std::span<const std::int64_t>(order_).subspan(
        static_cast<std::size_t>(split_.first(part) + shares.first(world.rank())),
        static_cast<std::size_t>(shares.count(world.rank())));
  }

 private:
  /// The order of an epoch follows from its number, so that a restart has it again.
  void shuffle_for(std::int64_t epoch) {
    if (epoch == epoch_) return;
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
    RandomStream random{seed_, static_cast<std::uint64_t>(epoch)};
    random.shuffle(std::span(order_));
    epoch_ = epoch;
  }

  std::int64_t steps_;
  RowSplit split_;
  std::uint64_t seed_;
  std::vector<std::int64_t> order_;
  std::int64_t epoch_ = -1;
};

/// Predictions are softened, so that the teacher's order of the wrong classes counts.
constexpr double temperature = 4;

/// The divergence of softened predictions from those of the teacher, for each image: in units in
/// which its gradient is that of a cross entropy.
Tensor divergences(const Tensor& logits, const Tensor& of_teacher) {
  const Tensor expected = (of_teacher.to(torch::kFloat64) / temperature).log_softmax(1);
  const Tensor predicted = (logits.to(torch::kFloat64) / temperature).log_softmax(1);
  return (expected.exp() * (expected - predicted)).sum(1) * (temperature * temperature);
}

Tensor losses_of(const ImageNetwork& network, const ImageNetwork* teacher,
                 const models::Batch& batch) {
  if (!teacher) return network.losses(network.logits(batch.inputs), batch.targets);
  const Tensor expected = [&] {
    const torch::NoGradGuard no_gradients;
    return teacher->logits(batch.inputs);
  }();
  return divergences(network.logits(batch.inputs), expected);
}

/// The share of this rank in the mean loss of a step, times the number of ranks, over which
/// train::Objective takes the mean.
WindowLoss image_loss(const ImageNetwork& network, const ImageSet& images, const ImageTraining& how,
                      const Communicator& world) {
  const auto type = network.number_type();
  auto deal = std::make_shared<Deal>(images.size(), how);
  return [&network, &images, &world, how, deal, type](std::int64_t window) {
    const std::int64_t step = window / world.size();
    const auto numbers = deal->images_of(step, world);
    models::Batch batch = make_batch(images, numbers, type);
    if (how.augmentation.is_wanted())
      batch.inputs = augment(batch.inputs, numbers, how.augmentation,
                             static_cast<std::uint64_t>(deal->epoch_of(step)));
    const double share =
        static_cast<double>(world.size()) / static_cast<double>(deal->batch_size(step));
    return losses_of(network, how.teacher, batch).sum() * share;
  };
}

/// Decay of the core is decay of the kernel while the factors are orthonormal.
bool decays(const Parameter& parameter) {
  return parameter.values.dim() >= 2 && !parameter.name.ends_with("_factor");
}

void orthonormalise_factors(const ImageNetwork& network) {
  for (const models::Slot* slot : network.slots())
    if (auto* tucker = dynamic_cast<weights::Tucker*>(slot->weight().get()))
      weights::orthonormalise(*tucker);
}

}  // namespace

std::int64_t steps_per_epoch(std::int64_t images, std::int64_t batch_size) {
  return (images + batch_size - 1) / batch_size;
}

State train_images(ImageNetwork& network, const ImageSet& images, const ImageTraining& how,
                   const Communicator& world, const parallel::Teams& alone,
                   const std::function<double(std::int64_t epochs)>& score, Keeper& keeper,
                   run::StopRequest& stop) {
  const std::int64_t epoch_steps = steps_per_epoch(images.size(), how.batch_size);
  const Objective objective(world, alone, 1, image_loss(network, images, how, world));
  const auto finish = [&](std::int64_t epochs) {
    const torch::NoGradGuard no_gradients;
    orthonormalise_factors(network);
    network.use(models::NormStatistics::stored);
    const double value = score(epochs);
    network.use(models::NormStatistics::batch, &world);
    return value;
  };
  const models::BatchStatistics of_batches(network, world);
  return run(
      network.parameters(), objective,
      {.schedule = {.steps = how.epochs * epoch_steps, .largest = how.learning_rate},
       .optimiser = {.beta_square = 0.999, .weight_decay = how.weight_decay, .decays = decays},
       .name = "training",
       .advice = "Lower train.learning_rate.",
       .epochs = {epoch_steps, finish}},
      keeper, stop);
}

}  // namespace rankine::train
