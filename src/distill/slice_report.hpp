// What the training of slices has to tell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace rankine::distill {

enum class Outcome {
  trained,
  fit_kept,  ///< no state of the training was better on the held-out samples
  diverged,  ///< the fit is kept
};
const char* name(Outcome outcome);

/// Errors are squared errors of the features behind the slice over their variance around the means
/// of the channels, on samples that are not trained on: 1 for predicting the means.
struct SliceReport {
  std::string name;
  std::size_t position = 0;                 ///< among the slices of the deck
  std::int64_t parameters = 0;              ///< stored numbers of its replaced weights
  double feature_error_before = 0;          ///< of the plain decomposition at the same ranks
  double feature_error_fit = 0;             ///< of the fit
  double feature_error_after = 0;           ///< in the end
  std::vector<double> feature_errors = {};  ///< after each epoch
  Outcome outcome = Outcome::trained;
  int team = 0;
  double cost = 0;                   ///< that was foretold, seconds
  double started = 0, finished = 0;  ///< seconds since slices began to be trained
  bool is_restored = false;          ///< from an earlier run
  std::optional<double> score =
      {};  ///< of the network with this slice alone: accuracy or perplexity

  double seconds() const { return finished - started; }
};

/// What the same slices would take with other numbers of teams.
struct SimulatedTeams {
  std::vector<std::int64_t> teams;
  std::vector<double> seconds;
};

struct LocalReport {
  std::vector<SliceReport> slices;  ///< in the order of the network, without those passed over
  std::int64_t samples = 0;         ///< images or windows that are trained on
  std::int64_t held_out = 0;
  std::int64_t waves = 1;  ///< times the teacher has run
  int teams = 0;
  double teacher_seconds = 0;  ///< of all waves
  double seconds = 0;          ///< of everything local, wall clock
  SimulatedTeams simulated;
};

}  // namespace rankine::distill
