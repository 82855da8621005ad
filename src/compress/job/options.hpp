// The deck of rankine-compress.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compress/allocation/factor_cost.hpp"
#include "deck/schema.hpp"
#include "models/evaluation/options.hpp"

namespace rankine::compress {

struct CalibrationOptions {
  std::string text;
  std::int64_t windows = 32;
  std::int64_t first_window = 0;  ///< of activations and of gradients, each in its own length
  std::int64_t window_length = 1024;
  std::int64_t gradient_windows = 8;
  std::int64_t gradient_window_length = 512;
  std::string gradient_targets = "text";
  double ridge = 0.1;  ///< of the output moments, times their mean diagonal
};

struct MethodOptions {
  std::string form = "pivoted";
  std::string weighting = "two-sided";
  std::int64_t sites = 2;
  std::int64_t sweeps = 2;
  std::int64_t clusters = 64;
  std::int64_t outliers = 8;
  std::string stored_as = "exact";  ///< the numbers of the forms, as weights::Weight::storage

  /// Whether the form is made of singular components, so that ranks are allocated.
  bool has_ranks() const { return form != "mpo" && form != "clustered"; }
  Storage storage() const { return form == "pivoted" ? Storage::pivoted : Storage::plain; }
  bool needs_inputs() const { return weighting != "none"; }
  /// Entry by entry or input by input only the diagonals of the moments count.
  bool needs_whole_inputs() const { return form != "clustered" && weighting != "diagonal"; }
  bool needs_whole_gradients() const { return form != "clustered" && weighting == "two-sided"; }
};

struct RankOptions {
  std::string allocation = "additive";
  std::string error_weights = "none";
  double parameter_ratio = 0.8;
  std::int64_t bond_dimension = 0;  ///< 0 to follow parameter_ratio
  std::int64_t fermi_steps = 30;
};

struct SensitivityOptions {
  std::vector<std::int64_t> bond_dimensions = {};  ///< empty for no profile
  std::vector<std::string> by = {"layer", "kind"};
};

struct HealOptions {
  std::int64_t steps = 0;
  std::string loss = "next-token";
  std::int64_t windows_per_step = 1;  ///< of each team
  std::int64_t window_length = 512;
  double learning_rate = 4e-5;
  double warm_up = 0.1;  ///< part of the steps in which the learning rate rises
};

struct ExperimentOptions {
  std::vector<std::string> names = {};  ///< empty for none
  std::vector<std::int64_t> clusters = {16, 32, 64};
  std::vector<std::int64_t> layers = {0};  ///< the last ones; 0 for all
  std::vector<std::int64_t> seeds = {1};
  std::int64_t layer_step = 1;  ///< layers replaced between two points of layer-by-layer
};

struct ExportOptions {
  std::string directory;  ///< empty for none
  std::string format = "dense";
};

struct CompressOptions {
  models::EvaluateOptions scoring;  ///< title, [model], [evaluate], [parallel], [output]
  CalibrationOptions calibration;
  std::vector<std::string> select = {"*"};
  MethodOptions method;
  RankOptions ranks;
  SensitivityOptions sensitivity;
  HealOptions heal;
  ExperimentOptions experiments;
  ExportOptions result;

  /// A sensitivity profile takes the place of a compression.
  bool is_profile() const { return !sensitivity.bond_dimensions.empty(); }
  bool needs_gradients() const {
    return method.weighting == "two-sided" || ranks.error_weights == "output-gradient";
  }
  bool needs_fermi() const {
    return method.has_ranks() && ranks.allocation == "fermi" && !is_profile();
  }
  bool needs_calibration() const {
    return heal.steps > 0 || method.needs_inputs() || needs_gradients() || needs_fermi();
  }
};

/// Declares every keyword of rankine-compress.
void declare_keywords(deck::Schema& schema, CompressOptions& options);

}  // namespace rankine::compress
