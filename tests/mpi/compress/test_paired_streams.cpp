// Targets of changed weights against sums over tokens that were observed one network at a time, and
// the matrices that answer them against a least squares solution of all tokens.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "compress/calibration/paired_streams.hpp"
#include "compress/decomposition/shifted_target.hpp"
#include "tiny_calibration.hpp"
#include "weights/forms/dense.hpp"
#include "weights/rows/row_exchange.hpp"

namespace rankine::compress {
namespace {

using models::Slot;
using models::Stage;
using torch::Tensor;

constexpr double ridge = 0.01;

class PairedStreamsTest : public testing::TestWithParam<int> {
 protected:
  PairedStreamsTest()
      : calibration_(tiny_layers(), std::min(GetParam(), world().size()), 3, 40),
        model_(calibration_.model),
        stages_(model_.stages()) {}

  /// All rows of what each rank of the team has some of.
  Tensor whole_rows(const Tensor& own, const weights::RowSplit& split) const {
    const auto& team = calibration_.teams.team();
    return weights::exchange_rows(team, own.contiguous(), weights::range_of(split, team.rank()),
                                  {0, split.total()});
  }
  Tensor whole_matrix(const weights::Weight& weight) const {
    return whole_rows(weight.own_rows(), weight.split());
  }

  const Slot& slot(const Stage& stage, const std::string& kind) const {
    return **std::ranges::find_if(stage.slots, [&](const Slot* candidate) {
      return candidate->name().find(kind) != std::string::npos;
    });
  }

  /// Another weight in place of the slot's, the same on any number of ranks.
  std::shared_ptr<weights::Weight> disturbed(const Slot& at) const {
    torch::manual_seed(3);
    const auto& weight = *at.weight();
    const Tensor whole = whole_matrix(weight);
    const Tensor changed = whole + 0.2 * whole.std() * torch::randn_like(whole);
    const auto own = weights::range_of(weight.split(), calibration_.teams.team().rank());
    return std::make_shared<weights::Dense>(calibration_.teams.team(), weight.split(),
                                            changed.narrow(0, own.first, own.count).clone());
  }

  /// Inputs of a slot, and activations before and behind the stage, of all tokens of all windows,
  /// with the weights that the model has now.
  struct Tokens {
    Tensor read, before, behind;
  };
  Tokens tokens_of(const Stage& stage, const Slot& at) {
    const torch::NoGradGuard no_gradients;
    std::vector<Tensor> read, before, behind;
    const models::Observation observation(
        model_.slot(at.name()), {.of_inputs = [&](const Tensor& x) { read.push_back(x); }});
    for (const models::Batch& batch : calibration_.batches()) {
      Tensor x = batch.inputs;
      for (const Stage& each : stages_) {
        if (each.module == stage.module) before.push_back(x);
        x = each.forward(x);
        if (each.module == stage.module) {
          behind.push_back(x);
          break;
        }
      }
    }
    return {torch::cat(read), torch::cat(before), torch::cat(behind)};
  }

  TinyCalibration calibration_;
  models::LanguageModel& model_;
  std::vector<Stage> stages_;
};

TEST_P(PairedStreamsTest, AskForWhatTheOriginalAnswered) {
  for (const TargetOutput output : {TargetOutput::of_weight, TargetOutput::of_stream})
    for (const std::string kind : {"k_proj", "o_proj", "up_proj", "down_proj"}) {
      SCOPED_TRACE(kind);
      const Stage &first = stages_[1], &second = stages_[2];
      const Slot& at = slot(second, kind);
      const Slot &early = slot(first, "v_proj"), &late = slot(second, "q_proj");
      const auto earlier = early.weight(), later = late.weight();
      const Tensor w = whole_matrix(*at.weight());
      const Tokens original = tokens_of(second, at);

      PairedStreams streams(model_, world(), calibration_.teams, calibration_.batches());
      streams.advance(stages_[0]);
      streams.replace(early.name(), disturbed(early));
      streams.advance(first);
      if (kind != "k_proj") streams.replace(late.name(), disturbed(late));
      const TargetMoments moments = streams.measure(second, {&at}, output);

      const Tokens changed = tokens_of(second, at);
      Tensor wanted = original.read.mm(w.t()), read = changed.read;
      if (output == TargetOutput::of_stream && kind != "k_proj" && kind != "up_proj") {
        // Tokens count by the size of the original's stream before the outputs are added.
        const bool is_last = kind == "down_proj";
        const Tensor stream = is_last ? original.behind - wanted : original.before;
        wanted = is_last ? original.behind - (changed.behind - read.mm(w.t()))
                         : wanted + original.before - changed.before;
        const Tensor size = stream.square().mean(1, true).sqrt();
        wanted = wanted / size;
        read = read / size;
      }
      EXPECT_LT(distance(whole(moments.inputs), read.t().mm(read)), 1e-12);
      EXPECT_LT(distance(whole_rows(moments.targets[0], at.weight()->split()), wanted.t().mm(read)),
                1e-12);

      const double mean = read.square().sum().item<double>() / static_cast<double>(read.size(1));
      const Tensor pulled = std::sqrt(ridge * mean) * torch::eye(read.size(1), torch::kFloat64);
      const auto solution =
          torch::linalg_lstsq(torch::cat({read, pulled}), torch::cat({wanted, pulled.mm(w.t())}),
                              c10::nullopt, "gelsd");
      const ShiftedTargets shifted(world(), calibration_.teams, moments.inputs, ridge, 5);
      const Tensor rows = shifted.own_rows(*at.weight(), moments.targets[0]);
      EXPECT_LT(distance(whole_rows(rows, at.weight()->split()), std::get<0>(solution).t()), 1e-9);

      model_.replace_weight(early.name(), earlier);
      model_.replace_weight(late.name(), later);
    }
}

TEST_P(PairedStreamsTest, HaveTheOriginalWeightsBackInTheirTurn) {
  const Stage& stage = stages_[1];
  const Slot& at = slot(stage, "q_proj");
  const auto original = at.weight(), other = disturbed(at);
  PairedStreams streams(model_, world(), calibration_.teams, calibration_.batches());
  streams.advance(stages_[0]);
  streams.replace(at.name(), other);
  EXPECT_EQ(streams.original(at), original);
  streams.measure(stage, {&slot(stage, "o_proj")}, TargetOutput::of_weight);
  EXPECT_EQ(at.weight(), other);
  model_.replace_weight(at.name(), original);
}

TEST_P(PairedStreamsTest, AskForNothingWhereNothingIsRead) {
  const Slot& at = slot(stages_[1], "q_proj");
  const SecondMoment nothing(calibration_.teams.team(), at.weight()->inputs(), torch::kFloat64);
  const ShiftedTargets shifted(world(), calibration_.teams, nothing, ridge, 5);
  EXPECT_TRUE(
      torch::equal(shifted.own_rows(*at.weight(), torch::zeros_like(at.weight()->own_rows())),
                   at.weight()->own_rows()));
}

INSTANTIATE_TEST_SUITE_P(Teams, PairedStreamsTest, testing::Values(1, 2));

}  // namespace
}  // namespace rankine::compress
