// Divergences with one changed weight against a plain transformer in loops that has the changed
// weight among its tensors.
#include <gtest/gtest.h>

#include <cmath>

#include "../../plain_transformer.hpp"
#include "compress/experiments/changed_predictions.hpp"
#include "tiny_calibration.hpp"
#include "weights/forms/dense.hpp"

namespace rankine::compress {
namespace {

std::vector<double> log_probabilities(std::vector<double> logits) {
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit);
  for (double& logit : logits) logit -= std::log(sum);
  return logits;
}

/// Mean of KL(original || changed) over the predictions of all tokens that have a successor.
double plain_divergence(const TinyModel& original, const TinyModel& changed,
                        const std::vector<std::vector<std::int64_t>>& windows) {
  double sum = 0, count = 0;
  for (const auto& ids : windows) {
    const auto before = PlainTransformer(original).logits(ids);
    const auto after = PlainTransformer(changed).logits(ids);
    for (std::size_t t = 0; t + 1 < ids.size(); ++t, ++count) {
      const auto p = log_probabilities(before[t]), q = log_probabilities(after[t]);
      for (std::size_t i = 0; i < p.size(); ++i) sum += std::exp(p[i]) * (p[i] - q[i]);
    }
  }
  return sum / count;
}

TEST(ChangedPredictions, DivergeAsThoseOfAPlainTransformer) {
  const int most_teams = std::min(world().size(), 2);
  for (int n_teams = 1; n_teams <= most_teams; ++n_teams)
    for (const TinyModel& tiny : {tiny_layers(), tiniest_layers()}) {
      TinyCalibration calibration(tiny, n_teams, 3, 9);
      ChangedPredictions predictions(calibration.model, world(), calibration.teams,
                                     calibration.batches());
      for (const std::size_t w :
           {std::size_t{0}, std::size_t{3}, std::size_t{5}, std::size_t{13}}) {
        const std::string& name = calibration.names[w];
        const auto weight = weight_of(calibration.model, name);
        TinyModel changed = tiny;
        for (float& value : changed.tensors.at(name + ".weight").values) value *= 0.5F;
        const double found = predictions.divergence(
            name, std::make_shared<weights::Dense>(calibration.teams.team(), weight->split(),
                                                   0.5 * weight->own_rows().detach()));
        const double expected = plain_divergence(tiny, changed, calibration.windows);
        EXPECT_NEAR(found / expected, 1, 1e-9) << name;
        EXPECT_EQ(weight_of(calibration.model, name), weight) << "it is back in its place";
        EXPECT_NEAR(predictions.divergence(name, weight), 0, 1e-14);
      }
    }
}

TEST(ChangedPredictions, OfMoreTeamsThanBatchesAreTheSame) {
  TinyCalibration calibration(tiny_layers(), world().size(), 1, 9);
  ChangedPredictions predictions(calibration.model, world(), calibration.teams,
                                 calibration.batches());
  const std::string& name = calibration.names[2];
  const auto weight = weight_of(calibration.model, name);
  TinyModel changed = tiny_layers();
  for (float& value : changed.tensors.at(name + ".weight").values) value *= 0.5F;
  const double found = predictions.divergence(
      name, std::make_shared<weights::Dense>(calibration.teams.team(), weight->split(),
                                             0.5 * weight->own_rows().detach()));
  EXPECT_NEAR(found / plain_divergence(tiny_layers(), changed, calibration.windows), 1, 1e-9);
}

}  // namespace
}  // namespace rankine::compress
