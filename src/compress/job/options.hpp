// The deck of rankine-compress.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compress/calibration/gradient_targets.hpp"
#include "compress/experiments/sensitivity_groups.hpp"
#include "compress/job/choices.hpp"
#include "deck/schema.hpp"
#include "models/evaluation/options.hpp"
#include "models/export/export_format.hpp"
#include "weights/forms/form.hpp"
#include "weights/storage/storage.hpp"

namespace rankine::compress {

struct CalibrationOptions {
  std::string text;
  std::int64_t windows = 32;
  std::int64_t first_window = 0;  ///< of activations and of gradients, each in its own length
  std::int64_t window_length = 1024;
  std::int64_t gradient_windows = 8;
  std::int64_t gradient_window_length = 512;
  Targets gradient_targets = Targets::given;
  double ridge = 0.1;  ///< of the output moments, times their mean diagonal
};

struct MethodOptions {
  weights::Form form = weights::Form::pivoted;
  Weighting weighting = Weighting::two_sided;
  std::int64_t sites = 2;
  std::int64_t sweeps = 2;
  std::int64_t clusters = 64;
  std::int64_t outliers = 8;
  weights::Storage storage = weights::Storage::exact;

  weights::SizedBy sized_by() const { return weights::facts_of(form).sized_by; }
  /// Whether the form is made of singular components, so that ranks are allocated.
  bool has_ranks() const { return sized_by() == weights::SizedBy::components; }
  weights::FactorGauge gauge() const { return weights::facts_of(form).gauge; }
  bool needs_inputs() const { return weighting != Weighting::none; }
  /// Entry by entry or input by input only the diagonals of the moments count.
  bool needs_whole_inputs() const {
    return sized_by() != weights::SizedBy::values && weighting != Weighting::diagonal;
  }
  bool needs_whole_gradients() const {
    return sized_by() != weights::SizedBy::values && weighting == Weighting::two_sided;
  }
};

struct RankOptions {
  Allocation allocation = Allocation::additive;
  ErrorWeights error_weights = ErrorWeights::none;
  double parameter_ratio = 0.8;
  std::int64_t bond_dimension = 0;  ///< 0 to follow parameter_ratio
  std::int64_t fermi_steps = 30;
};

struct SensitivityOptions {
  std::vector<std::int64_t> bond_dimensions = {};  ///< empty for no profile
  std::vector<GroupBy> by = {GroupBy::layer, GroupBy::kind};
};

struct HealOptions {
  std::int64_t steps = 0;
  HealingLoss loss = HealingLoss::next_token;
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
  models::ExportFormat format = models::ExportFormat::dense;
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
    return method.weighting == Weighting::two_sided ||
           ranks.error_weights == ErrorWeights::output_gradient;
  }
  bool needs_fermi() const {
    return method.has_ranks() && ranks.allocation == Allocation::fermi && !is_profile();
  }
  bool needs_calibration() const {
    return heal.steps > 0 || method.needs_inputs() || needs_gradients() || needs_fermi();
  }
};

/// Declares every keyword of rankine-compress.
void declare_keywords(deck::Schema& schema, CompressOptions& options);

}  // namespace rankine::compress
