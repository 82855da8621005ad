#include "bench_image_networks.hpp"

#include <torch/nn/functional/loss.h>
#include <torch/optim/adamw.h>

#include <cmath>
#include <numeric>

#include "bench_bare_network.hpp"
#include "bench_timing.hpp"
#include "core/contracts.hpp"
#include "distill/slice_training.hpp"
#include "models/image/image_network_reader.hpp"
#include "models/image/plan_building.hpp"
#include "train/image_training.hpp"
#include "weights/forms/tucker.hpp"

namespace rankine::bench {

using models::ImageNetwork;
using models::ImageSet;
using models::LayerKind;
using models::NetworkPlan;
using torch::Tensor;

namespace {

constexpr double learning_rate = 1e-3;

/// A 3x3 convolution, or the three of a Tucker layer at half ranks.
void add_convolution(models::LayerSequence& layers, const std::string& name, std::int64_t channels,
                     bool is_split) {
  if (!is_split) return layers.convolution(name, channels, 3, 1);
  layers.convolution(name + ".input", layers.shape().channels / 2, 1, 1);
  layers.convolution(name + ".core", channels / 2, 3, 1);
  layers.convolution(name + ".output", channels, 1, 1);
}

/// A plain network for gray images; with `split` every Tucker layer as its three convolutions.
NetworkPlan plain_plan(bool is_split) {
  const models::ImageShape input{1, 64, 64};
  models::LayerSequence layers(input);
  std::int64_t number = 0;
  for (const std::int64_t channels : {32, 64, 128, 128}) {
    const std::string name = "conv" + std::to_string(++number);
    add_convolution(layers, name, channels, is_split && layers.shape().channels > 1);
    layers.batch_norm("bn" + std::to_string(number));
    layers.plain(LayerKind::relu);
    layers.add({.kind = LayerKind::max_pool, .geometry = {.kernel = {2, 2}, .stride = {2, 2}}});
  }
  layers.plain(LayerKind::global_pool);
  layers.linear("fc", 6);
  return {input, 6, layers.take()};
}

/// A residual block of ResNet-20, of Tucker layers.
NetworkPlan block_plan(bool is_split) {
  const models::ImageShape input{16, 32, 32};
  models::LayerSequence body(input), layers(input);
  add_convolution(body, "conv1", 16, is_split);
  body.batch_norm("bn1");
  body.plain(LayerKind::relu);
  add_convolution(body, "conv2", 16, is_split);
  body.batch_norm("bn2");
  layers.add({.kind = LayerKind::residual, .body = body.take()});
  layers.plain(LayerKind::relu);
  return {input, input.channels, layers.take()};
}

NetworkPlan plan_of(const std::string& network, bool is_split) {
  if (network == "slice") return block_plan(is_split);
  return network == "t-cnn" ? plain_plan(is_split) : models::cifar_resnet(20, {3, 32, 32}, 10);
}

Tensor drawn(std::vector<std::int64_t> shape, std::int64_t inputs) {
  return torch::randn(shape) / std::sqrt(static_cast<double>(inputs));
}

/// Tucker kernels at half ranks in all convolutions but the first.
void put_tucker(ImageNetwork& network) {
  network.plan().for_each([&](const models::LayerPlan& layer) {
    const std::int64_t inputs = layer.inputs.channels, outputs = layer.outputs.channels;
    if (layer.kind != LayerKind::convolution || inputs == 1) return;
    network.replace_weight(
        layer.name,
        weights::make_tucker(network.team(), weights::RowSplit::even(outputs, 1),
                             {.core = drawn({outputs / 2, inputs / 2, 3, 3}, inputs * 9 / 2),
                              .output = drawn({outputs, outputs / 2}, outputs / 2),
                              .input = drawn({inputs, inputs / 2}, inputs),
                              .height = {},
                              .width = {}},
                             torch::kFloat32));
  });
}

ImageNetwork our_network(const parallel::Communicator& team, const std::string& which) {
  torch::manual_seed(1);
  ImageNetwork network =
      models::draw_image_network(team, plan_of(which, false), 1, models::Precision::float32);
  if (which != "resnet-20") put_tucker(network);
  return network;
}

/// Bytes and classes without any meaning.
ImageSet noise_images(const NetworkPlan& plan, std::int64_t count) {
  ImageSet set;
  set.images.count = count;
  set.images.shape = plan.input;
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count * plan.input.size()));
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>((i * 2654435761U) >> 13);
  set.images.values = std::move(bytes);
  for (std::int64_t n = 0; n < count; ++n) set.labels.push_back(n % plan.classes);
  const auto channels = static_cast<std::size_t>(plan.input.channels);
  set.normalisation = {std::vector(channels, 0.5), std::vector(channels, 0.25)};
  return set;
}

models::Batch whole_batch(const ImageSet& set) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(set.size()));
  std::iota(numbers.begin(), numbers.end(), 0);
  return models::make_batch(set, numbers);
}

class NoKeeper final : public train::Keeper {
  std::optional<train::State> restore(std::int64_t, const std::vector<train::Parameter>&) override {
    return {};
  }
  void keep(const train::State&, const std::vector<train::Parameter>&, When) override {}
};

/// The second of two epochs, s.
double train_ours(ImageNetwork& network, const ImageSet& images, std::int64_t batch,
                  const parallel::Communicator& world, const parallel::Teams& alone) {
  NoKeeper keeper;
  run::StopRequest stop(world, {});
  Stopwatch watch;
  double second = 0;
  const auto mark = [&](std::int64_t) {
    world.barrier();
    second = watch.seconds();
    watch.restart();
    return 0.0;
  };
  const train::ImageTraining how{
      .epochs = 2, .batch_size = batch, .learning_rate = learning_rate, .weight_decay = 0.01};
  train::train_images(network, images, how, world, alone, mark, keeper, stop);
  return second;
}

/// An epoch of the loop that one writes first.
void train_bare(BareLayers& network, torch::optim::AdamW& optimiser, const models::Batch& all,
                std::int64_t batch) {
  const Tensor order = torch::randperm(all.targets.size(0));
  for (const Tensor& numbers : order.split(batch)) {
    optimiser.zero_grad();
    const Tensor logits = network.forward(all.inputs.index_select(0, numbers));
    torch::nn::functional::cross_entropy(logits, all.targets.index_select(0, numbers)).backward();
    optimiser.step();
  }
}

template <class Network>
void evaluate(const Network& logits, const Tensor& images, std::int64_t batch) {
  const torch::NoGradGuard no_gradients;
  for (const Tensor& part : images.split(batch)) logits(part);
}

[[maybe_unused]] std::int64_t numbers_in(const BareLayers& network) {
  std::int64_t sum = 0;
  for (const Tensor& parameter : network.parameters()) sum += parameter.numel();
  return sum;
}

/// Shortest times, s.
struct Times {
  double ours = std::numeric_limits<double>::infinity();
  double bare = ours;

  void take(double our_time, double bare_time) {
    ours = std::min(ours, our_time);
    bare = std::min(bare, bare_time);
  }
};

void time_evaluation(const ImageNetwork& ours, const BareLayers& bare, const Tensor& images,
                     std::int64_t batch, Times& times) {
  times.take(
      shortest_time(2, [&] { evaluate([&](auto& x) { return ours.logits(x); }, images, batch); }),
      shortest_time(2, [&] { evaluate([&](auto& x) { return bare.forward(x); }, images, batch); }));
}

/// The features before and behind a slice, as a rank of a team has them.
struct SliceData {
  distill::Samples samples;
  distill::SampleDeal deal;
  Tensor inputs, targets;

  SliceData(const NetworkPlan& plan, const NetworkCase& which, const parallel::Communicator& team)
      : samples{which.images, distill::Sharing::dealt, {}},
        deal(which.images, distill::TrainingOptions().held_out, which.batch, 1) {
    const auto own = std::ssize(deal.samples_of(samples.sharing, team.rank(), team.size()));
    for (Tensor* features : {&inputs, &targets})
      *features =
          torch::randn({own, plan.input.channels, plan.input.height, plan.input.width}).relu();
  }
};

/// An epoch of the training of a slice, s, with its part of all that is done but once.
double train_slice(const ImageNetwork& network, const SliceData& data,
                   const parallel::Communicator& world, const parallel::Teams& alone) {
  constexpr std::int64_t epochs = 5;
  const std::vector<models::Stage> stages = network.stages();
  const distill::SliceTask task{.name = "slice",
                                .stages = stages,
                                .parameters = network.parameters(),
                                .inputs = data.inputs,
                                .targets = data.targets,
                                .samples = data.samples,
                                .deal = data.deal,
                                .team = world,
                                .parts = alone};
  run::StopRequest stop(world, {});
  const Stopwatch watch;
  distill::train_slice(task, {.epochs = epochs}, learning_rate, stop);
  return watch.seconds() / epochs;
}

/// An epoch of the loop that one writes first, on one rank.
void train_bare_slice(BareLayers& network, torch::optim::AdamW& optimiser, const SliceData& data,
                      std::int64_t batch) {
  const auto trained = [&](const Tensor& features) {
    return features.narrow(0, data.deal.held_out(), data.deal.trained()).split(batch);
  };
  const auto inputs = trained(data.inputs), targets = trained(data.targets);
  for (std::size_t b = 0; b < inputs.size(); ++b) {
    optimiser.zero_grad();
    torch::nn::functional::mse_loss(network.forward(inputs[b]), targets[b]).backward();
    optimiser.step();
  }
}

/// A slice of a network, against the features of another.
NetworkRates time_slice(const parallel::Communicator& world, const NetworkCase& which,
                        std::int64_t repeats) {
  const parallel::Teams alone(world, world.size());
  const parallel::Communicator self = world.split(world.rank(), 0);
  const ImageNetwork ours = our_network(alone.team(), which.network);
  BareLayers bare(plan_of(which.network, true).layers);
  RANKINE_EXPECTS(numbers_in(bare) == ours.stored_numbers(), "both have the same layers");
  bare.eval();  // the statistics of batch norms stay as they are
  torch::optim::AdamW optimiser(bare.parameters(), learning_rate);
  const SliceData own(ours.plan(), which, world), whole(ours.plan(), which, self);
  Times training, evaluation;
  for (std::int64_t repeat = 0; repeat < repeats; ++repeat) {
    const double seconds = train_slice(ours, own, world, alone);
    if (world.rank() != 0) continue;
    training.take(seconds,
                  shortest_time(2, [&] { train_bare_slice(bare, optimiser, whole, which.batch); }));
    time_evaluation(ours, bare, whole.inputs, which.batch, evaluation);
  }
  const auto trained = static_cast<double>(own.deal.trained());
  const auto count = static_cast<double>(which.images);
  return {which.network,           ours.stored_numbers(),   trained / training.ours,
          trained / training.bare, count / evaluation.ours, count / evaluation.bare};
}

}  // namespace

NetworkRates time_network(const parallel::Communicator& world, const NetworkCase& which,
                          std::int64_t repeats) {
  if (which.network == "slice") return time_slice(world, which, repeats);
  const parallel::Teams alone(world, world.size());
  ImageNetwork ours = our_network(alone.team(), which.network);
  BareLayers bare(plan_of(which.network, true).layers);
  RANKINE_EXPECTS(numbers_in(bare) == ours.stored_numbers(), "both have the same layers");
  const ImageSet images = noise_images(ours.plan(), which.images);
  const models::Batch all = whole_batch(images);
  torch::optim::AdamW optimiser(bare.parameters(), learning_rate);
  const bool is_first = world.rank() == 0;

  Times training, evaluation;
  for (std::int64_t repeat = 0; repeat < repeats; ++repeat) {  // in turns: the machine may change
    bare.train();
    training.take(train_ours(ours, images, which.batch, world, alone), [&] {
      return is_first ? shortest_time(2, [&] { train_bare(bare, optimiser, all, which.batch); })
                      : 0;
    }());
    if (!is_first) continue;
    bare.eval();
    time_evaluation(ours, bare, all.inputs, which.batch, evaluation);
  }
  const auto count = static_cast<double>(which.images);
  return {which.network,         ours.stored_numbers(),   count / training.ours,
          count / training.bare, count / evaluation.ours, count / evaluation.bare};
}

}  // namespace rankine::bench
