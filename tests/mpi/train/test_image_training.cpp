// Training of image networks: ranks change nothing but rounding, restarts nothing at all.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "../models/image_testing.hpp"
#include "core/stop_signal.hpp"
#include "models/image/image_network_reader.hpp"
#include "train/image_training.hpp"
#include "train/series_keeper.hpp"
#include "weights/forms/tucker.hpp"

namespace rankine::train {
namespace {

namespace fs = std::filesystem;
using models::alone;
using models::ImageNetwork;
using models::Precision;
using parallel::Communicator;
using parallel::Teams;
using torch::Tensor;

/// Keeps nothing.
class NoKeeper final : public Keeper {
  std::optional<State> restore(std::int64_t, const std::vector<Parameter>&) override { return {}; }
  void keep(const State&, const std::vector<Parameter>&, When) override {}
};

/// Puts a Tucker kernel of these ranks, whose factors are not orthonormal, in place of conv2.
void put_tucker(ImageNetwork& network, Precision precision) {
  const auto type = precision == Precision::float64 ? torch::kFloat64 : torch::kFloat32;
  const weights::TuckerFactors factors{.core = models::waves({3, 2, 3, 3}, 1) * 0.3,
                                       .output = models::waves({6, 3}, 2),
                                       .input = models::waves({4, 2}, 3),
                                       .height = {},
                                       .width = {}};
  network.replace_weight(
      "conv2", weights::make_tucker(alone().team(), weights::RowSplit::even(6, 1), factors, type));
}

ImageNetwork small_network(Precision precision = Precision::float32, bool has_tucker = false) {
  ImageNetwork network =
      models::draw_image_network(alone().team(), models::small_plan(), 5, precision);
  if (has_tucker) put_tucker(network, precision);
  return network;
}

const weights::Tucker& tucker_of(const ImageNetwork& network) {
  return dynamic_cast<const weights::Tucker&>(*weight_of(network, "conv2"));
}

struct Outcome {
  State state;
  std::vector<Tensor> parameters;
};

Outcome outcome_of(State state, const ImageNetwork& network) {
  Outcome outcome{.state = std::move(state)};
  for (const Parameter& parameter : network.parameters())
    outcome.parameters.push_back(parameter.values.detach().clone());
  return outcome;
}

/// Over the ranks of `ranks` only.
Outcome train(ImageNetwork& network, const ImageTraining& how, std::int64_t images,
              const Communicator& ranks = world()) {
  const Teams teams(ranks, ranks.size());
  NoKeeper keeper;
  run::StopRequest stop(ranks, {});
  const auto set = models::striped_images(images);
  return outcome_of(
      train_images(
          network, set, how, ranks, teams, [](std::int64_t) { return 0.0; }, keeper, stop),
      network);
}

double largest_difference(const Outcome& a, const Outcome& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.parameters.size(); ++i)
    largest =
        std::max(largest, (a.parameters[i] - b.parameters[i]).abs().max().template item<double>());
  for (std::size_t i = 0; i < a.state.losses.size(); ++i)
    largest = std::max(largest, std::abs(a.state.losses[i] - b.state.losses[i]));
  return largest;
}

void expect_equal(const Outcome& a, const Outcome& b) {
  EXPECT_EQ(a.state.losses, b.state.losses);
  EXPECT_EQ(a.state.scores, b.state.scores);
  ASSERT_EQ(a.parameters.size(), b.parameters.size());
  for (std::size_t i = 0; i < a.parameters.size(); ++i)
    EXPECT_TRUE(torch::equal(a.parameters[i], b.parameters[i])) << "parameter " << i;
}

const ImageTraining shifted{.epochs = 3,
                            .batch_size = 8,
                            .learning_rate = 0.01,
                            .weight_decay = 0.1,
                            .augmentation = {.crop = 1, .is_flipped = true}};

TEST(ImageTraining, StepsOfAnEpochAreEven) {
  EXPECT_EQ(steps_per_epoch(33, 32), 2);
  EXPECT_EQ(steps_per_epoch(32, 32), 1);
  ImageNetwork network = small_network();
  const Outcome found = train(network, {.epochs = 2, .batch_size = 32}, 33);
  EXPECT_EQ(found.state.losses.size(), 4u);
  for (const Tensor& values : found.parameters) EXPECT_TRUE(values.isfinite().all().item<bool>());
}

TEST(ImageTraining, LearnsAndKeepsTheScoreOfEveryEpoch) {
  ImageNetwork network = small_network();
  NoKeeper keeper;
  run::StopRequest stop(world(), {});
  double next = 0;
  const State state = train_images(
      network, models::striped_images(30), {.epochs = 6, .batch_size = 6, .learning_rate = 0.03},
      world(), alone(), [&](std::int64_t) { return ++next; }, keeper, stop);
  EXPECT_LT(state.losses.back(), 0.7 * state.losses.front());
  EXPECT_EQ(state.scores, (std::vector<double>{1, 2, 3, 4, 5, 6}));
}

TEST(ImageTraining, AnyNumberOfRanksAgrees) {
  const Communicator single = world().split(world().rank(), 0);
  for (const auto precision : {Precision::float32, Precision::float64})
    for (const std::int64_t batch : {2, 7}) {  // of 2 images some ranks get none
      ImageTraining how = shifted;
      how.batch_size = batch;
      how.epochs = 2;
      ImageNetwork apart = small_network(precision, true), whole = small_network(precision, true);
      EXPECT_LT(largest_difference(train(apart, how, 9), train(whole, how, 9, single)),
                precision == Precision::float64 ? 1e-10 : 1e-5)
          << "batches of " << batch;
    }
}

TEST(ImageTraining, EqualSeedsGiveEqualBitsAndOthersDoNot) {
  ImageNetwork one = small_network(), two = small_network(), three = small_network();
  const Outcome first = train(one, shifted, 20);
  expect_equal(train(two, shifted, 20), first);
  ImageTraining other = shifted;
  other.seed = 2;
  EXPECT_GT(largest_difference(train(three, other, 20), first), 1e-4);
}

/// Tells the last rank to stop after a step; the training notices after the next.
class StoppingKeeper final : public Keeper {
 public:
  StoppingKeeper(Keeper& keeper, std::int64_t stop_after)
      : keeper_(keeper), stop_after_(stop_after) {}
  std::optional<State> restore(std::int64_t steps, const std::vector<Parameter>& arrays) override {
    return keeper_.restore(steps, arrays);
  }
  void keep(const State& state, const std::vector<Parameter>& arrays, When when) override {
    keeper_.keep(state, arrays, when);
    if (state.steps == stop_after_ && world().rank() == world().size() - 1) std::raise(SIGTERM);
  }

 private:
  Keeper& keeper_;
  std::int64_t stop_after_;
};

/// With states in a folder; nothing if it stops after step `stop_after`, 0 for never.
std::optional<Outcome> train_in(const fs::path& folder, std::int64_t stop_after) {
  ImageNetwork network = small_network(Precision::float32, true);
  const run::StageStore store(world(), folder, 1);
  SeriesKeeper series(store, alone(), {"training", 1}, {.checkpoint_interval = 0, .keep = 2});
  StoppingKeeper keeper(series, stop_after);
  run::StopRequest stop(world(), {});
  const auto score = [&](std::int64_t) {
    return tucker_of(network).factors().core.detach().sum().item<double>();
  };
  try {
    State state = train_images(network, models::striped_images(20), shifted, world(), alone(),
                               score, keeper, stop);
    return outcome_of(std::move(state), network);
  } catch (const Stopped&) {
    forget_stop_signal();
    return std::nullopt;
  }
}

TEST(ImageTraining, StoppedAndGoneOnIsAsStraight) {
  const fs::path folder = fs::temp_directory_path() /
                          ("rankine_images_" + world().broadcast(std::to_string(getpid()), 0));
  const auto straight = train_in("", 0);
  ASSERT_TRUE(straight);
  EXPECT_EQ(straight->state.losses.size(), 9u);
  EXPECT_EQ(straight->state.scores.size(), 3u);
  for (const std::int64_t stop_after : {3, 5}) {  // within an epoch, and as one ends
    catch_stop_signals(StopWords::unsaid);
    EXPECT_FALSE(train_in(folder, stop_after));
    const auto gone_on = train_in(folder, 0);
    ASSERT_TRUE(gone_on);
    expect_equal(*gone_on, *straight);
    world().barrier();
    if (world().rank() == 0) fs::remove_all(folder);
    world().barrier();
  }
}

void expect_orthonormal(const Tensor& factor, double tolerance) {
  const Tensor gram = factor.detach().t().matmul(factor.detach());
  EXPECT_LT((gram - torch::eye(gram.size(0), gram.options())).abs().max().item<double>(),
            tolerance);
}

TEST(ImageTraining, FactorsAreOrthonormalAfterEveryEpoch) {
  ImageNetwork network = small_network(Precision::float64, true);
  const Tensor before = tucker_of(network).own_rows().detach().clone();
  // At a rate of 0 an epoch changes nothing but the gauge.
  train(network, {.epochs = 1, .batch_size = 5, .learning_rate = 0}, 10);
  EXPECT_LT((tucker_of(network).own_rows() - before).abs().max().item<double>(), 1e-13);
  expect_orthonormal(tucker_of(network).factors().output, 1e-13);
  expect_orthonormal(tucker_of(network).factors().input, 1e-13);

  NoKeeper keeper;
  run::StopRequest stop(world(), {});
  int epochs = 0;
  train_images(
      network, models::striped_images(10), {.epochs = 3, .batch_size = 5, .learning_rate = 0.02},
      world(), alone(),
      [&](std::int64_t) {
        expect_orthonormal(tucker_of(network).factors().output, 1e-13);
        expect_orthonormal(tucker_of(network).factors().input, 1e-13);
        return static_cast<double>(++epochs);
      },
      keeper, stop);
  EXPECT_EQ(epochs, 3);
  EXPECT_GT((tucker_of(network).own_rows() - before).abs().max().item<double>(), 1e-3);
}

TEST(ImageTraining, DecayTouchesKernelsAndCoresOnly) {
  ImageNetwork free = small_network(Precision::float64, true);
  ImageNetwork decaying = small_network(Precision::float64, true);
  const auto before = outcome_of({}, free).parameters;
  const ImageTraining how{.epochs = 1, .batch_size = 10, .learning_rate = 0.001};
  ImageTraining with_decay = how;
  with_decay.weight_decay = 0.5 / how.learning_rate;
  const auto without = train(free, how, 10).parameters;
  const auto with = train(decaying, with_decay, 10).parameters;
  const auto parameters = free.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::string& name = parameters[i].name;
    if (name.ends_with("core"))
      EXPECT_GT((with[i] - without[i]).abs().max().item<double>(), 0.1) << name;
    else if (name == "conv1.weight" || name == "conv3.weight" || name == "fc.weight")
      EXPECT_LT((without[i] - with[i] - 0.5 * before[i]).abs().max().item<double>(), 1e-14) << name;
    else
      EXPECT_TRUE(torch::equal(with[i], without[i])) << name;
  }
}

}  // namespace
}  // namespace rankine::train
