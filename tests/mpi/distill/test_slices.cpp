// Slices over ranks and teams: the borders of the teacher, the error of features, the training of a
// slice and of all, and a restart that changes no bit.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <numeric>
#include <set>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/stop_signal.hpp"
#include "distill/local_distillation.hpp"
#include "distill/slice_training.hpp"
#include "distill/teacher_borders.hpp"
#include "distill_testing.hpp"

namespace rankine::distill {
namespace {

namespace fs = std::filesystem;
using models::Precision;
using models::Stage;
using parallel::Communicator;
using parallel::Teams;
using torch::Tensor;

double largest_difference(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return a.numel() == 0 ? 0 : (a - b).abs().max().item<double>();
}

/// Every border of all samples, in their order.
std::vector<Tensor> direct_borders(const models::Network& teacher, const Samples& samples) {
  const torch::NoGradGuard no_gradients;
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(samples.count));
  std::iota(numbers.begin(), numbers.end(), 0);
  std::vector<Tensor> borders{samples.inputs(numbers)};
  for (const Stage& stage : teacher.stages())
    borders.push_back(pass(std::span(&stage, 1), samples.sharing, borders.back()));
  return borders;
}

/// Team t wants border 0, t + 1 and the last; the last of several teams nothing.
void expect_borders(const models::Network& teacher, const Samples& samples, const Teams& teams) {
  const SampleDeal deal(samples.count, 0.1, 4, 1);
  const std::vector<Tensor> expected = direct_borders(teacher, samples);
  std::vector<std::set<std::size_t>> wanted;
  for (int team = 0; team < teams.count(); ++team)
    wanted.push_back({0, static_cast<std::size_t>(team) % 2 + 1, expected.size() - 1});
  if (teams.count() > 1) wanted.back().clear();
  run::StopRequest stop(world(), {});
  const Borders found = pass_teacher(teacher, samples, deal, world(), teams, wanted, stop);
  const auto& mine = wanted[static_cast<std::size_t>(teams.index())];
  ASSERT_EQ(found.size(), mine.size());
  const Tensor own = torch::tensor(
      deal.samples_of(samples.sharing, teams.team().rank(), teams.team().size()), torch::kInt64);
  for (const std::size_t border : mine) {
    EXPECT_EQ(found.at(border).scalar_type(), expected[border].scalar_type());
    EXPECT_LT(largest_difference(found.at(border), expected[border].index_select(0, own)), 1e-12)
        << "border " << border << ", " << teams.count() << " teams";
  }
}

TEST(TeacherBorders, OfImagesAreThoseOfADirectPass) {
  for (const std::int64_t count : {2, 3, 70}) {
    const ImageCase images(count, Precision::float64);
    for (int teams = 1; teams <= world().size(); ++teams)
      expect_borders(images.teacher, images.samples, Teams(world(), teams));
  }
}

TEST(TeacherBorders, OfTextsAreThoseOfADirectPass) {
  const TinyModel model = tiny_models()[1];
  const TinyFolder folder(model);
  for (int teams = 1; teams <= world().size(); ++teams) {
    const Teams holders(world(), teams);
    const TextCase text(folder, model, holders.team(), 5);
    expect_borders(text.teacher, text.samples, holders);
  }
}

/// A slice of image features on a team of all ranks, each of which has its samples.
struct OneSlice {
  const Samples& samples;
  Teams teams{world(), 1}, parts{world(), world().size()};
  SampleDeal deal;
  std::vector<Stage> stages;
  std::vector<weights::Parameter> parameters;
  Tensor inputs, targets;

  OneSlice(const Samples& given, std::vector<Stage> of_student, const Tensor& all_inputs,
           const Tensor& all_targets, std::int64_t batch_size = 8)
      : samples(given), deal(given.count, 0.1, batch_size, 1), stages(std::move(of_student)) {
    const Tensor own = torch::tensor(
        deal.samples_of(Sharing::dealt, world().rank(), world().size()), torch::kInt64);
    inputs = all_inputs.index_select(0, own);
    targets = all_targets.index_select(0, own);
  }
  SliceTask task() const {
    return {.name = "slice",
            .stages = stages,
            .parameters = parameters,
            .inputs = inputs,
            .targets = targets,
            .samples = samples,
            .deal = deal,
            .team = teams.team(),
            .parts = parts};
  }
};

TEST(FeatureError, IsOneForTheMeansAndElseThatOfTheFormula) {
  const Samples samples{23, Sharing::dealt, {}};
  const Tensor targets = models::waves({23, 3, 4, 5}, 1) + 2,
               inputs = models::waves({23, 3, 4, 5}, 2);
  const Tensor means = targets.mean({0, 2, 3}).view({1, 3, 1, 1});
  const double variance = (targets - means).square().sum().item<double>();
  OneSlice slice(samples, {{"means", "means", [&](const Tensor& x) { return means.expand_as(x); }}},
                 inputs, targets);
  const SliceTask task = slice.task();
  const FeatureError error(task);
  const auto share_of = [&](const Tensor& features) {
    return world().sum(error.share(features, slice.targets, 23).item<double>()) / world().size();
  };
  EXPECT_NEAR(share_of(means.expand_as(slice.targets)), 1, 1e-12);
  EXPECT_NEAR(share_of(slice.inputs), (inputs - targets).square().sum().item<double>() / variance,
              1e-12);
  const auto numbers = slice.deal.samples_of(Sharing::dealt, 0, 1);
  const Tensor held_out = targets.index_select(
      0, torch::tensor(std::vector(numbers.begin(), numbers.begin() + slice.deal.held_out()),
                       torch::kInt64));
  const double mean_square =
      (held_out - means).square().sum().item<double>() / static_cast<double>(slice.deal.held_out());
  EXPECT_NEAR(error.held_out(), mean_square / (variance / 23), 1e-12);
}

TEST(FeatureError, OfFeaturesThatNeverChangeIsFinite) {
  const Samples samples{9, Sharing::dealt, {}};
  OneSlice slice(samples, {{"same", "same", [](const Tensor& x) { return x; }}},
                 torch::full({9, 2, 3, 3}, 0.3), torch::full({9, 2, 3, 3}, 0.1));
  EXPECT_NEAR(FeatureError(slice.task()).held_out(), 18 * 0.04, 1e-6);
}

/// The residual block of a teacher as a student of its own, at ranks that may be full.
SliceReport train_block(ImageCase& images, std::int64_t of_outputs, std::int64_t of_inputs,
                        double& largest_gradient) {
  put_tucker(images.student, "conv2", {6, 4, 3, 3}, of_outputs, of_inputs);
  const auto borders = direct_borders(images.teacher, images.samples);
  OneSlice slice(images.samples, {images.student.stages()[1]}, borders[1], borders[2]);
  slice.parameters = weight_of(images.student, "conv2")->parameters();
  const SliceTask task = slice.task();
  const FeatureError error(task);
  for (const auto& parameter : slice.parameters) parameter.values.set_requires_grad(true);
  error.share(pass(slice.stages, Sharing::dealt, slice.inputs), slice.targets, 30).backward();
  largest_gradient = 0;
  for (const auto& parameter : slice.parameters) {
    largest_gradient =
        std::max(largest_gradient, parameter.values.grad().abs().max().item<double>());
    parameter.values.set_requires_grad(false);
  }
  run::StopRequest stop(world(), {});
  return train_slice(task, {.epochs = 5}, 0.01, stop);
}

TEST(SliceTraining, AtFullRankNothingIsLeftToLearn) {
  for (const auto precision : {Precision::float32, Precision::float64}) {
    ImageCase images(30, precision);
    double gradient = 0;
    // The factors that are drawn are those of the teacher's kernel.
    images.student.replace_weight("conv2", weight_of(images.teacher, "conv2"));
    const SliceReport report = train_block(images, 6, 4, gradient);
    EXPECT_LE(report.feature_error_fit, precision == Precision::float64 ? 1e-12 : 1e-8);
    EXPECT_LE(report.feature_error_after, report.feature_error_fit);
    EXPECT_LE(gradient, precision == Precision::float64 ? 1e-12 : 1e-5);
  }
}

TEST(SliceTraining, LowersTheErrorOfATruncatedKernel) {
  ImageCase images(30, Precision::float32);
  images.student.replace_weight("conv2", weight_of(images.teacher, "conv2"));
  double gradient = 0;
  const SliceReport report = train_block(images, 3, 3, gradient);
  EXPECT_EQ(report.outcome, Outcome::trained);
  EXPECT_GT(gradient, 1e-4);
  EXPECT_EQ(report.feature_errors.size(), 5u);
  EXPECT_LT(report.feature_error_after, 0.9 * report.feature_error_fit);
  EXPECT_EQ(report.feature_error_after, *std::ranges::min_element(report.feature_errors));
}

TEST(SliceTraining, StopsInTheMiddleOnAllRanks) {
  catch_stop_signals(StopWords::unsaid);
  ImageCase images(30, Precision::float32);
  const auto borders = direct_borders(images.teacher, images.samples);
  const Stage stage = images.student.stages()[1];
  int passes = 0;
  OneSlice slice(images.samples,
                 {{"stopping", "stopping",
                   [&](const Tensor& x) {
                     if (++passes == 5 && world().rank() == world().size() - 1) std::raise(SIGTERM);
                     return stage.forward(x);
                   }}},
                 borders[1], borders[2]);
  slice.parameters = weight_of(images.student, "conv2")->parameters();
  const SliceTask task = slice.task();
  run::StopRequest stop(world(), {});
  EXPECT_THROW(train_slice(task, {.epochs = 20}, 0.01, stop), Stopped);
  forget_stop_signal();
}

TrainingOptions quick() { return {.epochs = 3, .batch_size = 8, .learning_rate = 0.003}; }

/// How all slices are trained.
struct Setting {
  int teams = 1;
  int waves = 1;
  TrainingOptions how = quick();
  std::string directory = {};
};

template <class Case>
LocalReport train_all(Case& given, const Setting& setting, const Communicator& ranks,
                      const Teams& teams) {
  const run::RunOptions options{.directory = setting.directory};
  run::StopRequest stop(ranks, {});
  const run::RunControl control{options, stop, {}};
  return train_slices(
      {.teacher = given.teacher,
       .student = given.student,
       .plain = [&](const std::string& slot) { return weight_of(given.teacher, slot); },
       .slices = given.slices,
       .samples = given.samples,
       .how = setting.how,
       .world = ranks,
       .teams = teams,
       .control = control,
       .of_deck = fingerprint_of_slices({}, setting.how),
       .waves = [&](const TeamSchedule&) { return setting.waves; }});
}

struct Trained {
  LocalReport report;
  std::vector<Tensor> values;
};

Trained train_images(const Setting& setting, const Communicator& ranks = world(),
                     std::int64_t count = 22, Precision precision = Precision::float32) {
  ImageCase images(count, precision);
  Trained trained{train_all(images, setting, ranks, Teams(ranks, setting.teams)), images.values()};
  for (const Tensor& values : trained.values) {
    Tensor first = values.clone();
    ranks.broadcast(std::span(static_cast<std::byte*>(first.data_ptr()), first.nbytes()), 0);
    EXPECT_TRUE(torch::equal(first, values)) << "all ranks hold the same student";
  }
  return trained;
}

void expect_equal(const Trained& a, const Trained& b) {
  for (std::size_t i = 0; i < a.values.size(); ++i)
    EXPECT_TRUE(torch::equal(a.values[i], b.values[i])) << "parameter " << i;
  for (std::size_t s = 0; s < a.report.slices.size(); ++s) {
    EXPECT_EQ(a.report.slices[s].feature_errors, b.report.slices[s].feature_errors);
    EXPECT_EQ(a.report.slices[s].outcome, b.report.slices[s].outcome);
  }
}

Communicator single() { return world().split(world().rank(), 0); }

TEST(LocalDistillation, AnyRanksAndTeamsAgree) {
  const Communicator alone = single();
  for (const auto precision : {Precision::float32, Precision::float64})
    for (const std::int64_t count : {3, 22}) {
      const Trained expected = train_images({}, alone, count, precision);
      for (int teams = 1; teams <= world().size(); ++teams) {
        const Trained found = train_images({.teams = teams}, world(), count, precision);
        if (teams == world().size()) expect_equal(found, expected);
        for (std::size_t i = 0; i < expected.values.size(); ++i)
          EXPECT_LT(largest_difference(found.values[i], expected.values[i]),
                    precision == Precision::float64 ? 1e-10 : 1e-5)
              << teams << " teams, parameter " << i;
      }
    }
}

TEST(LocalDistillation, ReportsWhatWasDone) {
  const Trained found = train_images({.teams = std::min(2, world().size())});
  EXPECT_EQ(found.report.samples, 21);
  EXPECT_EQ(found.report.held_out, 1);
  ASSERT_EQ(found.report.slices.size(), 3u);
  EXPECT_EQ(found.report.simulated.teams.size(), found.report.simulated.seconds.size());
  for (const SliceReport& slice : found.report.slices) {
    EXPECT_EQ(slice.feature_errors.size(), 3u);
    EXPECT_LE(slice.feature_error_after, slice.feature_error_fit);
    EXPECT_LT(slice.feature_error_before, 1e-12)
        << "the plain weights of this test are the teacher's";
    EXPECT_GT(slice.cost, 0);
    EXPECT_GT(slice.seconds(), 0);
    EXPECT_LE(slice.finished, found.report.seconds);
    EXPECT_LT(slice.team, found.report.teams);
  }
  EXPECT_EQ(found.report.slices[1].name, "block");
  EXPECT_EQ(found.report.slices[1].parameters, 3 * 2 * 9 + 6 * 3 + 4 * 2);
}

/// Teams of one size, as which of them trains a slice follows from measured times.
TEST(LocalDistillation, WavesChangeNoBit) {
  for (const int teams : {1, world().size()}) {
    const Trained once = train_images({.teams = teams});
    for (const int waves : {2, 3}) {
      const Trained found = train_images({.teams = teams, .waves = waves});
      expect_equal(found, once);
      EXPECT_EQ(found.report.waves, waves);
    }
  }
}

TEST(LocalDistillation, ADivergingSliceLeavesTheOthersAlone) {
  const ImageCase untrained(22, Precision::float32);
  const std::vector<Tensor> fit = untrained.values();
  const auto names = untrained.student.parameters();
  for (const int teams : {1, world().size()}) {
    Setting setting{.teams = teams};
    const Trained clean = train_images(setting);
    setting.how.learning_rates = {0.003, 1e4, 0.003};
    const Trained found = train_images(setting);
    EXPECT_EQ(found.report.slices[1].outcome, Outcome::diverged);
    EXPECT_EQ(found.report.slices[1].feature_error_after, found.report.slices[1].feature_error_fit);
    for (const std::size_t s : {0, 2}) {
      EXPECT_NE(found.report.slices[s].outcome, Outcome::diverged);
      EXPECT_EQ(found.report.slices[s].feature_errors, clean.report.slices[s].feature_errors);
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string& name = names[i].name;
      const bool is_other =
          name.starts_with("conv1") || name.starts_with("bn1") || name.starts_with("fc");
      EXPECT_TRUE(torch::equal(found.values[i], (is_other ? clean.values : fit)[i])) << name;
    }
  }
}

TEST(LocalDistillation, ADivergedSliceEndsTheRunWhereAsked) {
  const LocalReport report{.slices = {{.name = "a"}, {.name = "b", .outcome = Outcome::diverged}}};
  EXPECT_NO_THROW(require_convergence(report, {}, world()));
  EXPECT_THROW(require_convergence(report, {.fail_on_divergence = true}, world()), NumericalError);
  EXPECT_NO_THROW(require_convergence({}, {.fail_on_divergence = true}, world()));
}

TEST(LocalDistillation, RefusesASingleSample) {
  EXPECT_THROW(train_images({}, world(), 1), InputError);
}

TEST(LocalDistillation, LanguageModelsAgreeOnAnyTeams) {
  Setting setting;
  setting.how = {.epochs = 4, .batch_size = 4, .learning_rate = 0.003, .held_out = 0.3};
  const Communicator alone = single();
  for (const std::size_t which : {0, 1}) {  // the second has fewer rows than ranks
    const TinyModel model = tiny_models()[which];
    const TinyFolder folder(model);
    const auto features = [&](const Communicator& ranks, int n_teams) {
      const Teams teams(ranks, n_teams);
      TextCase text(folder, model, teams.team(), 24);
      const LocalReport report = train_all(text, setting, ranks, teams);
      EXPECT_EQ(report.slices.back().outcome, Outcome::trained) << "model " << which;
      return text.features();
    };
    const Tensor expected = features(alone, 1);
    for (int teams = 1; teams <= world().size(); ++teams)
      EXPECT_LT(largest_difference(features(world(), teams), expected), 1e-9)
          << "model " << which << ", " << teams << " teams";
  }
}

/// Slices that are kept in a folder.
class KeptSlices : public testing::Test {
 protected:
  KeptSlices()
      : folder_(fs::temp_directory_path() /
                ("rankine_slices_" + world().broadcast(std::to_string(getpid()), 0))) {
    clear();
  }
  ~KeptSlices() override {
    forget_stop_signal();
    clear();
  }
  void clear() const {
    world().barrier();
    if (world().rank() == 0) fs::remove_all(folder_);
    world().barrier();
  }
  Setting kept(int teams, int waves = 1) const {
    return {.teams = teams, .waves = waves, .how = quick(), .directory = folder_.string()};
  }
  static std::ptrdiff_t restored(const Trained& trained) {
    return std::ranges::count_if(trained.report.slices, &SliceReport::is_restored);
  }

  fs::path folder_;
};

TEST_F(KeptSlices, AreTakenFromThereByAnyTeams) {
  const Trained straight = train_images(kept(world().size()));
  EXPECT_EQ(restored(straight), 0);
  for (int teams = 1; teams <= world().size(); ++teams) {
    const Trained again = train_images(kept(teams));
    EXPECT_EQ(restored(again), 3);
    expect_equal(again, straight);
    EXPECT_EQ(again.report.slices[1].parameters, straight.report.slices[1].parameters);
  }
  Setting other = kept(world().size());
  other.how.learning_rates = {0.003, 0.002, 0.003};
  EXPECT_EQ(restored(train_images(other)), 2) << "one is trained with another rate";
  other.how.epochs += 1;
  EXPECT_EQ(restored(train_images(other)), 0) << "trained otherwise";
}

TEST_F(KeptSlices, AreThoseOfWhichSomethingIsReplaced) {
  for (const bool is_restored : {false, true}) {
    ImageCase images(22, Precision::float32);
    images.student.replace_weight("conv2", weight_of(images.teacher, "conv2"));
    const LocalReport report = train_all(images, kept(1), world(), Teams(world(), 1));
    ASSERT_EQ(report.slices.size(), 2u);
    EXPECT_EQ(report.slices[1].name, "fc");
    EXPECT_EQ(report.slices[1].position, 2u);
    for (const SliceReport& slice : report.slices) EXPECT_EQ(slice.is_restored, is_restored);
    images.slices = {images.slices[1]};
    EXPECT_TRUE(train_all(images, kept(1), world(), Teams(world(), 1)).slices.empty());
  }
}

TEST_F(KeptSlices, DamagedOnesAreTrainedAnew) {
  const Trained straight = train_images(kept(world().size()));
  world().barrier();
  if (world().rank() == 0)
    for (const auto& entry : fs::directory_iterator(folder_))
      if (entry.path().filename().string().starts_with("slice-block"))
        fs::resize_file(entry.path() / "model.safetensors", 100);
  world().barrier();
  const std::size_t lines = log_lines().size();
  const Trained again = train_images(kept(world().size()));
  EXPECT_EQ(restored(again), 2);
  EXPECT_FALSE(again.report.slices[1].is_restored);
  expect_equal(again, straight);
  if (world().rank() == 0) EXPECT_GT(log_lines().size(), lines);
}

TEST_F(KeptSlices, OutliveAStop) {
  catch_stop_signals(StopWords::unsaid);
  const Trained straight = train_images({});
  {
    ImageCase images(22, Precision::float32);
    const auto inputs = images.samples.inputs;
    int calls = 0;  // of the first rank: to measure costs, and in each wave
    images.samples.inputs = [&](std::span<const std::int64_t> numbers) {
      if (++calls == 3 && world().rank() == 0) std::raise(SIGTERM);
      return inputs(numbers);
    };
    EXPECT_THROW(train_all(images, kept(1, 3), world(), Teams(world(), 1)), Stopped);
    forget_stop_signal();
  }
  const Trained gone_on = train_images(kept(1));
  EXPECT_EQ(restored(gone_on), 1);
  expect_equal(gone_on, straight);
}

}  // namespace
}  // namespace rankine::distill
