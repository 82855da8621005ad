// Training over ranks and teams: schedule, objective, AdamW, and a restart that changes no bit.
#include <gtest/gtest.h>
#include <torch/nn/utils/clip_grad.h>
#include <torch/optim/adamw.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>

#include "../../mpi_world.hpp"
#include "core/errors.hpp"
#include "core/stop_signal.hpp"
#include "train/clipping.hpp"
#include "train/series_keeper.hpp"
#include "train/training_loop.hpp"
#include "weights/rows/exchange.hpp"
#include "weights/rows/gather_rows.hpp"
#include "weights/rows/product.hpp"

namespace rankine::train {
namespace {

namespace fs = std::filesystem;
using parallel::Teams;
using torch::Tensor;

/// Numbers that are the same on all ranks.
Tensor numbers(std::vector<std::int64_t> shape, double phase, torch::ScalarType type) {
  std::int64_t count = 1;
  for (const std::int64_t length : shape) count *= length;
  return torch::sin(torch::arange(count, torch::kFloat64) * 1.7 + phase).view(shape).to(type);
}

/// y = tanh(x W^T) + b, the rows of W over the team and b on every rank, that shall become sin(x).
struct Regression {
  static constexpr std::int64_t outputs = 5, inputs = 4, tokens = 6;

  const Teams& teams;
  weights::RowSplit split;
  std::vector<Parameter> parameters;

  explicit Regression(const Teams& given, torch::ScalarType type = torch::kFloat64)
      : teams(given), split(weights::RowSplit::even(outputs, given.team().size())) {
    const std::int64_t first = split.first(teams.team().rank());
    const Tensor all = numbers({outputs, inputs}, 0.3, type);
    const Tensor own = all.narrow(0, first, split.count(teams.team().rank())).clone();
    parameters = {{"w", own, weights::Placement::rows, first, outputs},
                  {"b", numbers({outputs}, 2, type), weights::Placement::copy, 0, outputs}};
  }

  Tensor loss(std::int64_t window) const {
    const Tensor x = numbers({tokens, inputs}, static_cast<double>(window), w().scalar_type());
    const Tensor own = torch::tanh(weights::times_transposed(x, w()));
    const Tensor y =
        weights::gather_columns(teams.team(), own, split, weights::Gradient::same) + b();
    return (y - torch::sin(3 * x.sum(1, true))).square().mean().to(torch::kFloat64);
  }
  Objective objective(std::int64_t windows) const {
    return {world(), teams, windows, [this](std::int64_t window) { return loss(window); }};
  }
  void want_gradients() const {
    for (const Parameter& parameter : parameters) parameter.values.set_requires_grad(true);
  }

  const Tensor& w() const { return parameters[0].values; }
  const Tensor& b() const { return parameters[1].values; }
  Tensor whole(const Tensor& own) const {
    return weights::gather_rows(teams.team(), own.detach(), split);
  }
};

TEST(Schedule, RisesLinearlyAndFallsAsACosine) {
  const Schedule schedule{.steps = 100, .largest = 2, .warm_up = 0.1, .last_part = 0.1};
  EXPECT_DOUBLE_EQ(schedule.rate(0), 0.2);
  EXPECT_DOUBLE_EQ(schedule.rate(8), 1.8);
  EXPECT_DOUBLE_EQ(schedule.rate(9), 2);
  EXPECT_NEAR(schedule.rate(54), 2 * (0.1 + 0.9 / 2), 1e-12);
  EXPECT_NEAR(schedule.rate(99), 0.2, 1e-12);
  const Schedule without{.steps = 3, .largest = 1, .warm_up = 0, .last_part = 0};
  EXPECT_DOUBLE_EQ(without.rate(0), 1);
  EXPECT_NEAR(without.rate(2), 0, 1e-12);
}

TEST(Objective, TeamsDoNotChangeLossOrGradient) {
  const Teams one(world(), 1);
  const Regression together(one);
  together.want_gradients();
  const double expected = together.objective(6).gradient(1, together.parameters);
  for (const int count : {2, 3}) {
    if (world().size() < count) continue;
    const Teams teams(world(), count);
    const Regression apart(teams);
    apart.want_gradients();
    EXPECT_NEAR(apart.objective(6 / count).gradient(1, apart.parameters), expected, 1e-14);
    EXPECT_LT((apart.whole(apart.w().grad()) - together.whole(together.w().grad()))
                  .abs()
                  .max()
                  .item<double>(),
              1e-14)
        << count << " teams";
    EXPECT_LT((apart.b().grad() - together.b().grad()).abs().max().item<double>(), 1e-14)
        << count << " teams";
  }
}

TEST(Objective, GradientIsThatOfFiniteDifferences) {
  const Teams teams(world(), std::min(2, world().size()));
  const Regression model(teams);
  const Objective objective = model.objective(2);
  model.want_gradients();
  objective.gradient(0, model.parameters);
  const Tensor of_w = model.whole(model.w().grad()), of_b = model.b().grad().clone();
  const auto loss_at = [&](std::int64_t row, double of_row, double of_bias) {
    const torch::NoGradGuard no_gradients;
    const std::int64_t own = row - model.split.first(teams.team().rank());
    if (own >= 0 && own < model.w().size(0)) model.w()[own][1] += of_row;
    model.b()[row] += of_bias;
    const torch::AutoGradMode gradients(true);
    const double loss = objective.gradient(0, model.parameters);
    const torch::NoGradGuard again;
    if (own >= 0 && own < model.w().size(0)) model.w()[own][1] -= of_row;
    model.b()[row] -= of_bias;
    return loss;
  };
  constexpr double h = 1e-5;
  for (std::int64_t row = 0; row < Regression::outputs; ++row) {
    EXPECT_NEAR(of_w[row][1].item<double>(), (loss_at(row, h, 0) - loss_at(row, -h, 0)) / (2 * h),
                1e-9);
    EXPECT_NEAR(of_b[row].item<double>(), (loss_at(row, 0, h) - loss_at(row, 0, -h)) / (2 * h),
                1e-9);
  }
}

TEST(AdamW, MovesAsThatOfLibtorch) {
  for (const auto type : {torch::kFloat32, torch::kFloat64})
    for (const double decay : {0.0, 0.1}) {
      const Tensor mine = numbers({7, 3}, 1, type), theirs = mine.clone();
      theirs.set_requires_grad(true);
      mine.set_requires_grad(true);
      AdamW optimiser({{"p", mine, weights::Placement::rows, 0, 7}}, {.weight_decay = decay});
      torch::optim::AdamW known(
          {theirs}, torch::optim::AdamWOptions(1).betas({0.9, 0.95}).eps(1e-8).weight_decay(decay));
      for (int step = 0; step < 20; ++step) {
        const double rate = 0.01 / (1 + step);
        static_cast<torch::optim::AdamWOptions&>(known.param_groups()[0].options()).lr(rate);
        for (const Tensor& one : {mine, theirs})
          one.mutable_grad() = numbers({7, 3}, step * step, type);
        optimiser.step(rate);
        known.step();
      }
      EXPECT_TRUE(torch::equal(mine.detach(), theirs.detach())) << "decay " << decay;
    }
}

/// p = z K^T is moved as z is where that is the parameter.
TEST(AdamW, MovesInCoordinates) {
  const Tensor k = numbers({3, 3}, 2, torch::kFloat64);
  const Tensor z = numbers({7, 3}, 1, torch::kFloat64), p = z.mm(k.t());
  AdamW of_p({{"p", p, weights::Placement::rows, 0, 7}}, {},
             {{[k](const Tensor& gradient) { return gradient.mm(k); },
               [k](const Tensor& move) { return move.mm(k.t()); }}});
  AdamW of_z({{"z", z, weights::Placement::rows, 0, 7}}, {});
  for (int step = 0; step < 20; ++step) {
    p.mutable_grad() = (p - 0.3 * step).tanh();
    z.mutable_grad() = (z.mm(k.t()) - 0.3 * step).tanh().mm(k);
    of_p.step(0.01);
    of_z.step(0.01);
  }
  EXPECT_LT((p - z.mm(k.t())).abs().max().item<double>(), 1e-12);
}

TEST(Gradients, AreClippedByTheNormOverAllRanks) {
  const Teams teams(world(), std::min(2, world().size()));
  const Regression model(teams);
  const Objective objective = model.objective(1);
  model.want_gradients();
  objective.gradient(0, model.parameters);
  Tensor w = torch::zeros({Regression::outputs, Regression::inputs}, torch::kFloat64);
  Tensor b = torch::zeros({Regression::outputs}, torch::kFloat64);
  w.mutable_grad() = model.whole(model.w().grad());
  b.mutable_grad() = model.b().grad().clone();
  const double norm =
      std::sqrt(w.grad().square().sum().item<double>() + b.grad().square().sum().item<double>());
  EXPECT_NEAR(gradient_norm(objective, model.parameters), norm, 1e-14);
  clip_gradients(objective, model.parameters, 2 * norm);
  EXPECT_TRUE(torch::equal(model.b().grad(), b.grad())) << "smaller ones stay";
  clip_gradients(objective, model.parameters, norm / 3);
  EXPECT_NEAR(gradient_norm(objective, model.parameters), norm / 3, 1e-14);
  torch::nn::utils::clip_grad_norm_(std::vector<Tensor>{w, b}, norm / 3);
  EXPECT_LT((model.whole(model.w().grad()) - w.grad()).abs().max().item<double>(), 1e-6);
}

/// A training whose states are kept in a folder of its own.
class Restart : public testing::TestWithParam<int> {
 protected:
  static constexpr std::int64_t steps = 20;

  Restart()
      : folder_(fs::temp_directory_path() /
                ("rankine_training_" + world().broadcast(std::to_string(getpid()), 0))),
        teams_(world(), std::min(GetParam(), world().size())) {
    catch_stop_signals(StopWords::unsaid);
    clear();
  }
  ~Restart() override {
    forget_stop_signal();
    clear();
  }

  struct Outcome {
    std::vector<double> losses;
    Tensor w, b;
  };

  /// Nothing where the last rank is told to stop in step `stop_after`; 0 for never.
  std::optional<Outcome> train(const fs::path& folder, std::int64_t stop_after = 0,
                               const Epochs& epochs = {}) {
    const Regression model(teams_, torch::kFloat32);
    std::int64_t calls = 0;
    const Objective objective(world(), teams_, 1, [&](std::int64_t window) {
      if (++calls == stop_after && world().rank() == world().size() - 1) std::raise(SIGTERM);
      return model.loss(window);
    });
    const run::StageStore store(world(), folder, 1);
    SeriesKeeper keeper(store, teams_, {"training", 7}, {.checkpoint_interval = 0, .keep = 2});
    run::StopRequest stop(world(), {});
    const Recipe recipe{.schedule = {.steps = steps, .largest = 0.05},
                        .optimiser = {.weight_decay = 0.01},
                        .largest_gradient = 0.5,
                        .epochs = epochs};
    try {
      State state = run(model.parameters, objective, recipe, keeper, stop);
      EXPECT_FALSE(model.w().requires_grad());
      return Outcome{std::move(state.losses), model.w().clone(), model.b().clone()};
    } catch (const Stopped&) {
      forget_stop_signal();
      return std::nullopt;
    }
  }
  static void expect_same(const std::optional<Outcome>& found, const Outcome& straight) {
    ASSERT_TRUE(found);
    EXPECT_EQ(found->losses, straight.losses);
    EXPECT_TRUE(torch::equal(found->w, straight.w));
    EXPECT_TRUE(torch::equal(found->b, straight.b));
  }
  /// The newest state of all.
  static fs::path newest_in(const fs::path& folder) {
    std::vector<fs::path> states;
    for (const auto& entry : fs::directory_iterator(folder)) states.push_back(entry.path());
    return *std::ranges::max_element(states, {}, [](const fs::path& state) {
      const std::string name = state.filename().string();
      return std::stoi(name.substr(name.find('.') + 1));
    });
  }
  void clear() const {
    world().barrier();
    if (world().rank() == 0) fs::remove_all(folder_);
    world().barrier();
  }

  fs::path folder_;
  Teams teams_;
};

TEST_P(Restart, ChangesNoBit) {
  const auto straight = train("");
  ASSERT_TRUE(straight);
  EXPECT_LT(straight->losses.back(), straight->losses.front());
  for (const std::int64_t stop_after : {1, 2, 9}) {
    EXPECT_FALSE(train(folder_, stop_after));
    expect_same(train(folder_), *straight);
    clear();
  }
  EXPECT_FALSE(train(folder_, 5));
  EXPECT_FALSE(train(folder_, 6)) << "more than once";
  expect_same(train(folder_), *straight);
  expect_same(train(folder_), *straight);  // all steps are known
}

TEST_P(Restart, FallsBackToTheStateBefore) {
  const auto straight = train("");
  ASSERT_TRUE(straight);
  EXPECT_FALSE(train(folder_, 9));
  world().barrier();
  if (world().rank() == 0) fs::resize_file(newest_in(folder_) / "model.safetensors", 100);
  world().barrier();
  expect_same(train(folder_), *straight);
}

TEST_P(Restart, BeginsAnewWithoutAnyStateThatIsWhole) {
  const auto straight = train("");
  ASSERT_TRUE(straight);
  EXPECT_FALSE(train(folder_, 9));
  world().barrier();
  if (world().rank() == 0)
    for (const auto& entry : fs::directory_iterator(folder_))
      std::ofstream(entry.path() / "stage.json") << "{}";
  world().barrier();
  expect_same(train(folder_), *straight);
}

/// Scores that are lowest after three epochs of two steps.
Epochs lowest_after_three(std::int64_t patience) {
  return {.steps = 2,
          .finish = [](std::int64_t epochs) { return std::abs(static_cast<double>(epochs) - 3); },
          .patience = patience};
}

TEST_P(Restart, TrainingEndsWhereScoresFallNoMoreWithTheParametersOfTheLowest) {
  const auto ended = train("", 0, lowest_after_three(2));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->losses.size(), 10U) << "two epochs after the lowest";
  const auto sooner = train("", 0, lowest_after_three(1));
  ASSERT_TRUE(sooner);
  EXPECT_EQ(sooner->losses.size(), 8U);
  EXPECT_TRUE(torch::equal(sooner->w, ended->w)) << "those after three epochs";
  EXPECT_FALSE(torch::equal(train("")->w, ended->w));
  for (const std::int64_t stop_after : {3, 7, 9}) {
    EXPECT_FALSE(train(folder_, stop_after, lowest_after_three(2)));
    expect_same(train(folder_, 0, lowest_after_three(2)), *ended);
    expect_same(train(folder_, 0, lowest_after_three(2)), *ended);  // all is known
    clear();
  }
}

INSTANTIATE_TEST_SUITE_P(Teams, Restart, testing::Values(1, 2, 3));

}  // namespace
}  // namespace rankine::train
