// Second moments of a calibration text against a plain forward pass in loops, which shares nothing
// with the models room: its inputs, and its loss by finite differences of its outputs.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "../../plain_transformer.hpp"
#include "compress/calibration/counted_gradients.hpp"
#include "compress/calibration/partial_moments.hpp"
#include "compress/calibration/token_moments.hpp"
#include "core/errors.hpp"
#include "tiny_calibration.hpp"
#include "weights/rows/exchange.hpp"

namespace rankine::compress {
namespace {

using torch::Tensor;
using Row = PlainTransformer::Row;
using Windows = std::vector<std::vector<std::int64_t>>;

/// Of x^T x over all tokens of all windows, for each weight.
std::map<std::string, Tensor> input_sums(const TinyModel& tiny, const Windows& windows) {
  PlainTransformer plain(tiny);
  std::map<std::string, Tensor> sums;
  plain.on_product = [&](const std::string& name, const Row& values, Row&) {
    const Tensor x = torch::tensor(values, torch::kFloat64);
    const Tensor product = torch::outer(x, x);
    sums[name] = sums[name].defined() ? sums[name] + product : product;
  };
  for (const auto& ids : windows) plain.logits(ids);
  return sums;
}

/// Sum of the next-token cross-entropies, in nat.
double summed_loss(PlainTransformer& plain, const std::vector<std::int64_t>& ids) {
  const auto logits = plain.logits(ids);
  double sum = 0;
  for (std::size_t t = 0; t + 1 < ids.size(); ++t) {
    double total = 0;
    for (const double logit : logits[t]) total += std::exp(logit);
    sum += std::log(total) - logits[t][static_cast<std::size_t>(ids[t + 1])];
  }
  return sum;
}

/// The derivatives of that sum by output `coordinate` of a weight, for every token.
Row output_gradients(const TinyModel& tiny, const std::vector<std::int64_t>& ids,
                     const std::string& name, std::size_t coordinate) {
  constexpr double step = 1e-5;
  Row gradients;
  for (std::size_t token = 0; token < ids.size(); ++token) {
    const auto loss_at = [&](double shift) {
      PlainTransformer plain(tiny);
      std::size_t passed = 0;
      plain.on_product = [&](const std::string& product, const Row&, Row& y) {
        if (product == name && passed++ == token) y[coordinate] += shift;
      };
      return summed_loss(plain, ids);
    };
    gradients.push_back((loss_at(step) - loss_at(-step)) / (2 * step));
  }
  return gradients;
}

/// Of g^T g over all tokens of all windows, rows and columns `coordinates` alone.
Tensor gradient_sums(const TinyModel& tiny, const Windows& windows, const std::string& name,
                     const std::vector<std::int64_t>& coordinates) {
  const auto n = std::ssize(coordinates);
  Tensor sums = torch::zeros({n, n}, torch::kFloat64);
  for (const auto& ids : windows) {
    std::vector<Tensor> columns;
    for (const std::int64_t coordinate : coordinates)
      columns.push_back(
          torch::tensor(output_gradients(tiny, ids, name, static_cast<std::size_t>(coordinate)),
                        torch::kFloat64));
    const Tensor g = torch::stack(columns, 1);
    sums += g.t().mm(g);
  }
  return sums;
}

Tensor part_of(const Tensor& moment, const std::vector<std::int64_t>& coordinates) {
  const Tensor chosen = torch::tensor(coordinates, torch::kInt64);
  return moment.index_select(0, chosen).index_select(1, chosen);
}

std::vector<int> team_counts() {
  return world().size() > 1 ? std::vector<int>{1, 2} : std::vector<int>{1};
}

class Moments : public testing::TestWithParam<bool> {
 protected:
  static TinyModel tiny() { return GetParam() ? tiniest_layers() : tiny_layers(); }
};
INSTANTIATE_TEST_SUITE_P(Models, Moments, testing::Bool());

TEST_P(Moments, OfInputsAreSumsOverAPlainForwardPass) {
  for (const int teams : team_counts()) {
    TinyCalibration calibration(tiny(), teams, 3, 14);
    const auto sums = input_sums(tiny(), calibration.windows);
    for (const MomentPart part : {MomentPart::whole, MomentPart::diagonal}) {
      const InputMoments found = measure_inputs(calibration.model, world(), calibration.teams,
                                                calibration.names, calibration.batches(), part);
      EXPECT_EQ(found.moments.size(), 8U) << "four inputs in each of two layers";
      for (std::size_t w = 0; w < calibration.names.size(); ++w) {
        const SecondMoment& moment = found.moments[found.of_weight[w]];
        const Tensor sum = sums.at(calibration.names[w] + ".weight");
        const Tensor expected = part == MomentPart::whole ? sum : sum.diagonal();
        EXPECT_EQ(whole(moment).dim(), expected.dim());
        EXPECT_LT(distance(whole(moment), expected), 1e-12) << calibration.names[w];
        EXPECT_LT(distance(moment.diagonal(world()), sum.diagonal()), 1e-12);
        EXPECT_NEAR(moment.mean_diagonal(world()) / sum.diagonal().mean().item<double>(), 1, 1e-12);
      }
    }
  }
}

TEST(GradientMoments, OfOutputGradientsAreThoseOfFiniteDifferences) {
  for (const int teams : team_counts()) {
    TinyCalibration calibration(tiniest_layers(), teams, 2, 6);
    const auto measured = [&](MomentPart part) {
      return measure_output_gradients(calibration.model, world(), calibration.teams,
                                      calibration.names, calibration.batches(), {}, part);
    };
    const auto found = measured(MomentPart::whole), diagonals = measured(MomentPart::diagonal);
    for (std::size_t w = 0; w < calibration.names.size(); ++w) {
      std::vector<std::int64_t> all(static_cast<std::size_t>(found[w].size()));
      for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
      const Tensor expected = gradient_sums(tiniest_layers(), calibration.windows,
                                            calibration.names[w] + ".weight", all);
      EXPECT_LT(distance(whole(found[w]), expected), 1e-7) << calibration.names[w];
      EXPECT_LT(distance(whole(diagonals[w]), expected.diagonal()), 1e-7) << calibration.names[w];
    }
  }
}

TEST(GradientMoments, OfManyOutputGradientsAreThoseOfFiniteDifferences) {
  TinyCalibration calibration(tiny_layers(), team_counts().back(), 2, 6);
  const auto found = measure_output_gradients(calibration.model, world(), calibration.teams,
                                              calibration.names, calibration.batches(), {});
  for (const std::size_t w : {std::size_t{0}, std::size_t{5}, calibration.names.size() - 1}) {
    const std::vector<std::int64_t> some{0, found[w].size() / 2, found[w].size() - 1};
    const Tensor expected =
        gradient_sums(tiny_layers(), calibration.windows, calibration.names[w] + ".weight", some);
    EXPECT_LT(distance(part_of(whole(found[w]), some), expected), 1e-7) << calibration.names[w];
  }
}

/// What the tokens of a window count, in loops over plain numbers (windows of tokens x outputs).
std::vector<std::vector<Row>> counted(std::vector<std::vector<Row>> windows,
                                      const LossGradients& how) {
  for (std::vector<Row>& rows : windows) {
    const auto end = static_cast<std::size_t>(how.trim * static_cast<double>(rows.size()));
    double sum = 0, count = 0;
    std::vector<double> norms;
    for (std::size_t t = 0; t < rows.size(); ++t) {
      if (t < end || t >= rows.size() - end) std::fill(rows[t].begin(), rows[t].end(), 0.0);
      double square = 0;
      for (const double value : rows[t]) square += value * value;
      norms.push_back(std::sqrt(square));
      sum += norms[t];
      count += norms[t] > 0 ? 1 : 0;
    }
    for (std::size_t t = 0; t < rows.size(); ++t)
      for (double& value : rows[t])
        if (how.clip > 0 && norms[t] > 0)
          value *= std::min(std::max(norms[t], sum / count / how.clip), sum / count * how.clip) /
                   norms[t];
  }
  return windows;
}

std::vector<Row> rows_of(const Tensor& matrix) {
  std::vector<Row> rows;
  for (std::int64_t t = 0; t < matrix.size(0); ++t) {
    const Tensor row = matrix[t].contiguous();
    rows.emplace_back(row.data_ptr<double>(), row.data_ptr<double>() + row.numel());
  }
  return rows;
}

/// Of a weight on each window, as autograd finds them.
struct Passed {
  std::vector<std::vector<Row>> inputs;
  std::vector<std::vector<Row>> gradients;  ///< tokens x outputs
};

Passed passed(TinyCalibration& calibration, const std::string& name) {
  Passed all;
  models::Slot& slot = calibration.model.slot(name);
  const models::Observation seen(
      slot, {.of_inputs = [&](const Tensor& x) { all.inputs.push_back(rows_of(x.detach())); },
             .of_output_gradients =
                 [&](const Tensor& dy) {
                   all.gradients.push_back(rows_of(
                       weights::gather_columns(calibration.teams.team(), dy.detach(),
                                               slot.weight()->split(), weights::Gradient::same)));
                 }});
  for (const models::Batch& batch : calibration.batches())
    calibration.model.losses(batch).sum().backward();
  return all;
}

Tensor moment_of(const std::vector<std::vector<Row>>& windows) {
  Tensor sums;
  for (const std::vector<Row>& rows : windows)
    for (const Row& row : rows) {
      const Tensor g = torch::tensor(row, torch::kFloat64);
      sums = sums.defined() ? sums + torch::outer(g, g) : torch::outer(g, g);
    }
  return sums;
}

TEST_P(Moments, OfGradientsCountTokensAsPlainLoopsDo) {
  for (const int teams : team_counts()) {
    TinyCalibration calibration(tiny(), teams, 3, 17);
    for (const LossGradients& how :
         {LossGradients{.trim = 0.125}, LossGradients{.clip = 1.3}, LossGradients{.clip = 1},
          LossGradients{.trim = 0.2, .clip = 1.5}}) {
      const auto found = measure_output_gradients(calibration.model, world(), calibration.teams,
                                                  calibration.names, calibration.batches(), how);
      const auto diagonals =
          measure_output_gradients(calibration.model, world(), calibration.teams, calibration.names,
                                   calibration.batches(), how, MomentPart::diagonal);
      for (const std::size_t w : {std::size_t{1}, std::size_t{6}, calibration.names.size() - 1}) {
        const auto plain = passed(calibration, calibration.names[w]).gradients;
        const Tensor expected = moment_of(counted(plain, how));
        EXPECT_LT(distance(whole(found[w]), expected), 1e-12) << calibration.names[w];
        EXPECT_LT(distance(whole(diagonals[w]), expected.diagonal()), 1e-12);
        EXPECT_GT(distance(expected, moment_of(plain)), 1e-3) << "the rule changes something";
      }
    }
  }
}

TEST_P(Moments, OfTokensThatGradientsWeighAreThoseOfPlainLoops) {
  const LossGradients how{.trim = 0.2, .clip = 1.5};
  for (const int teams : team_counts()) {
    TinyCalibration calibration(tiny(), teams, 3, 17);
    const auto found = measure_token_moments(calibration.model, world(), calibration.teams,
                                             calibration.names, calibration.batches(), how, 1);
    for (const std::size_t w : {std::size_t{1}, calibration.names.size() - 1}) {
      Passed plain = passed(calibration, calibration.names[w]);
      const auto gradients = counted(plain.gradients, how);
      for (std::size_t b = 0; b < gradients.size(); ++b)
        for (std::size_t t = 0; t < gradients[b].size(); ++t) {
          double mean_square = 0;
          for (const double g : gradients[b][t])
            mean_square += g * g / static_cast<double>(gradients[b][t].size());
          for (double& x : plain.inputs[b][t]) x *= std::sqrt(mean_square);
        }
      EXPECT_LT(distance(whole(found[w]), moment_of(plain.inputs)), 1e-12) << calibration.names[w];
    }
  }
}

TEST(CountedGradients, LeaveTokensWithoutAnyAlone) {
  const Tensor rows = torch::tensor({{3.0, 4.0}, {0.0, 0.0}, {0.0, 0.5}, {1e-14, 0.0}, {0.5, 0.0}},
                                    torch::kFloat64);
  const Tensor found = counted_gradients(rows, {.clip = 2});  // mean norm 2: between 1 and 4
  const Tensor expected = torch::tensor(
      {{2.4, 3.2}, {0.0, 0.0}, {0.0, 1.0}, {1e-14, 0.0}, {1.0, 0.0}}, torch::kFloat64);
  EXPECT_LT((found - expected).abs().max().item<double>(), 1e-15);
  EXPECT_TRUE(torch::equal(counted_gradients(rows, {}), rows));
  EXPECT_EQ(counted_gradients(torch::zeros({3, 2}, torch::kFloat64), {.trim = 0.4, .clip = 10})
                .abs()
                .max()
                .item<double>(),
            0);
}

TEST_P(Moments, AreTheSameOnOneRankAndSpread) {
  TinyCalibration calibration(tiny(), team_counts().back(), 2, 11);
  const InputMoments found = measure_inputs(calibration.model, world(), calibration.teams,
                                            calibration.names, calibration.batches());
  const linalg::GridShape shape = linalg::squarest(world().size());
  const linalg::ProcessGrid grid(world(), shape.rows, shape.columns);
  for (const SecondMoment& moment : found.moments) {
    const Tensor all = whole(moment);
    const int owner = world().size() - 1;
    const Tensor owned = moment.assemble_on(world(), owner);
    EXPECT_EQ(owned.size(0), world().rank() == owner ? moment.size() : 0);
    linalg::DistMatrix<double> spread(
        grid, linalg::Distribution::block_cyclic(moment.size(), moment.size(), 8, shape.rows,
                                                 shape.columns));
    moment.spread(spread);
    spread.view().for_each_local([&](std::int64_t i, std::int64_t j, double value) {
      if (i >= j) EXPECT_NEAR(value, all[i][j].item<double>(), 1e-12 * all.norm().item<double>());
    });
  }
}

/// A measurement that ends behind some round, in a folder from which another one goes on.
class StoppedMeasurement {
 public:
  explicit StoppedMeasurement(const parallel::Teams& teams) : teams_(teams) {}
  ~StoppedMeasurement() {
    world().barrier();
    if (world().rank() == 0) std::filesystem::remove_all(folder_);
    world().barrier();
  }

  MeasurementCheckpoint stopped_behind(std::int64_t round) {
    return {.keep = [this, round](const PartialMoments& state) {
      if (state.rounds != round) return;
      write_partial(state, world(), teams_, folder_);
      rounds_ = round;
      throw Stopped("the test");
    }};
  }
  MeasurementCheckpoint gone_on() const {
    return {.restore = [this](PartialMoments& state) {
      read_partial(state, world(), teams_, folder_);
      state.rounds = rounds_;
    }};
  }

 private:
  const parallel::Teams& teams_;
  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() /
      ("rankine_partial_moments_" + world().broadcast(std::to_string(getpid()), 0));
  std::int64_t rounds_ = 0;
};

TEST_P(Moments, GoOnWithoutChangingABit) {
  for (const int teams : team_counts()) {
    TinyCalibration calibration(tiny(), teams, 3, 14, models::Precision::float32);
    StoppedMeasurement stopped(calibration.teams);
    const auto inputs = [&](const MeasurementCheckpoint& checkpoint) {
      return measure_inputs(calibration.model, world(), calibration.teams, calibration.names,
                            calibration.batches(), MomentPart::whole, checkpoint);
    };
    const auto gradients = [&](const MeasurementCheckpoint& checkpoint) {
      return measure_output_gradients(calibration.model, world(), calibration.teams,
                                      calibration.names, calibration.batches(),
                                      {.targets = Targets::sampled}, MomentPart::whole, checkpoint);
    };
    const auto expect_same = [](const auto& found, const auto& straight) {
      ASSERT_EQ(found.size(), straight.size());
      for (std::size_t i = 0; i < found.size(); ++i)
        EXPECT_TRUE(torch::equal(found[i].own_rows("x").values, straight[i].own_rows("x").values));
    };
    const std::int64_t of_a_stage = (3 + teams - 1) / teams;
    const auto all_inputs = inputs({});
    for (const std::int64_t round : {of_a_stage, of_a_stage + 1, 2 * of_a_stage}) {
      EXPECT_THROW(inputs(stopped.stopped_behind(round)), Stopped);
      expect_same(inputs(stopped.gone_on()).moments, all_inputs.moments);
    }
    const auto all_gradients = gradients({});
    EXPECT_THROW(gradients(stopped.stopped_behind(1)), Stopped);
    expect_same(gradients(stopped.gone_on()), all_gradients);
  }
}

}  // namespace
}  // namespace rankine::compress
