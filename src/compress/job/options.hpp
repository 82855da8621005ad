// The deck of rankine-compress.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compress/calibration/loss_gradients.hpp"
#include "compress/experiments/sensitivity_groups.hpp"
#include "compress/job/choices.hpp"
#include "deck/schema.hpp"
#include "models/evaluation/options.hpp"
#include "models/export/export_format.hpp"
#include "weights/forms/form.hpp"
#include "weights/making/codebooks.hpp"
#include "weights/making/disentangling_start.hpp"
#include "weights/making/kernel_cut.hpp"
#include "weights/making/ridge.hpp"
#include "weights/rotations/brickwork.hpp"
#include "weights/storage/storage.hpp"

namespace rankine::compress {

struct CalibrationOptions {
  std::string text;
  std::int64_t windows = 32;
  std::int64_t first_window = 0;  ///< of activations and of gradients, each in its own length
  std::int64_t window_length = 1024;
  std::int64_t gradient_windows = 8;
  std::int64_t gradient_window_length = 512;
  LossGradients gradients = {};
  std::int64_t gradient_groups = 0;           ///< of rows, with input moments of their own
  double ridge = 0.1;                         ///< of the output moments, times their mean diagonal
  double input_ridge = weights::input_ridge;  ///< the same of the input moments
  std::int64_t images = 1000;                 ///< of image networks; 0 for all training images
  std::int64_t gradient_images = 1000;        ///< the same, for output gradients
};

struct MethodOptions {
  weights::Form form = weights::Form::pivoted;
  Weighting weighting = Weighting::two_sided;
  std::int64_t sites = 2;
  std::int64_t sweeps = 2;
  std::int64_t clusters = 64;
  std::int64_t outliers = 8;
  double outlier_share = 0;  ///< beside `outliers`, of all entries of a weight
  weights::OutlierChoice outlier_choice = weights::OutlierChoice::magnitude;
  std::string codebooks = "matrix";  ///< "row", or how many rows have shared values of their own
  std::int64_t rounds = 0;           ///< of values and codes in the norm of whole moments
  weights::CodeStart start = weights::CodeStart::nearest;
  weights::Storage storage = weights::Storage::exact;
  weights::KernelCut cut = weights::KernelCut::oh_iw;  ///< of the form cut

  weights::SizedBy sized_by() const { return weights::facts_of(form).sized_by; }
  /// Whether the form is made of singular components, so that ranks are allocated.
  bool has_ranks() const { return sized_by() == weights::SizedBy::components; }
  weights::FactorGauge gauge() const { return weights::facts_of(form).gauge; }
  bool needs_inputs() const { return weighting != Weighting::none; }
  /// Entry by entry or input by input only the diagonals of the moments count.
  bool needs_whole_inputs() const {
    return (sized_by() != weights::SizedBy::values || rounds > 0) &&
           weighting != Weighting::diagonal;
  }
  /// Rows of a weight that have shared values of their own; nothing where `codebooks` is no number
  /// and none of its names.
  std::optional<std::int64_t> rows_per_book(std::int64_t rows) const;
  std::int64_t outliers_of(std::int64_t entries) const {
    return outliers + std::llround(outlier_share * static_cast<double>(entries));
  }
  /// Whether one rank makes the clusters of a whole matrix; else all ranks make them together.
  bool has_books() const {
    return sized_by() == weights::SizedBy::values &&
           (codebooks != "matrix" || rounds > 0 ||
            outlier_choice != weights::OutlierChoice::magnitude);
  }
  bool needs_whole_gradients() const {
    return (sized_by() != weights::SizedBy::values || rounds > 0) &&
           weighting == Weighting::two_sided;
  }
};

/// How the weights are fitted once their ranks are known.
struct FitOptions {
  FitOrder order = FitOrder::at_once;
  TargetOutput target = TargetOutput::of_stream;
  double anchor = 1;
  double ridge = 1e-3;  ///< of the moments of changed inputs, times their mean diagonal

  bool is_sequential() const { return order == FitOrder::sequential; }
};

/// Of the form disentangled.
struct DisentanglerOptions {
  std::int64_t gate_size = 2;  ///< legs of length 2 that a gate acts on
  std::int64_t depth = 4;
  weights::OddLeg odd_leg = weights::OddLeg::apart;
  weights::DisentanglingStart start = weights::DisentanglingStart::identity;
  std::int64_t sweeps = 20;
  std::int64_t gradient_steps = 20;  ///< in the norm of method.weighting

  weights::BrickworkShape circuit() const {
    return {static_cast<int>(gate_size), static_cast<int>(depth), odd_leg};
  }
};

struct RankOptions {
  Allocation allocation = Allocation::additive;
  ErrorWeights error_weights = ErrorWeights::none;
  std::int64_t measured_windows = 2;  ///< of the calibration, for measured error weights
  double measured_ratio = 0.1;        ///< of the numbers of the one weight that is changed
  double depth_bias = 0;              ///< how much more an error in the first layer counts
  double depth_bias_decay = 0;
  double parameter_ratio = 0.8;
  double bits_per_weight = 0;       ///< of clustered weights; 0 for method.clusters in each
  std::int64_t bond_dimension = 0;  ///< 0 to follow parameter_ratio
  std::int64_t fermi_steps = 30;
  std::vector<std::int64_t> tucker = {};  ///< outputs, inputs, height, width; empty for the ratio
  double rank_fraction = 0;               ///< of every rank; 0 to follow parameter_ratio
  std::int64_t multiple_of = 1;           ///< ranks but the full ones, hidden units
};

struct SensitivityOptions {
  std::vector<std::int64_t> bond_dimensions = {};  ///< empty for no profile
  std::vector<GroupBy> by = {GroupBy::layer, GroupBy::kind};
  std::vector<weights::KernelCut> cuts = {};  ///< of kernels; empty for no study
  std::vector<double> rank_fractions = {0.75, 0.5, 0.34};
};

/// Of image networks, after compression or from the start.
struct TrainOptions {
  std::int64_t epochs = 0;
  std::int64_t batch_size = 64;
  double learning_rate = 1e-3;
  double weight_decay = 0;
  std::int64_t seed = 1;
  std::int64_t crop = 0;
  bool flip = false;
  std::int64_t score_every = 1;  ///< epochs between two scores
};

struct HealOptions {
  std::int64_t steps = 0;
  HealingLoss loss = HealingLoss::next_token;
  std::int64_t windows_per_step = 1;  ///< of each team
  std::int64_t window_length = 512;
  double learning_rate = 4e-5;
  double warm_up = 0.1;               ///< part of the steps in which the learning rate rises
  std::string text = {};              ///< empty for calibration.text
  std::int64_t held_out_windows = 0;  ///< the last ones of the text; 0 to train to the last step
  std::int64_t check_every = 20;      ///< steps between two looks at them
  std::int64_t patience = 3;          ///< looks in a row without a lower loss
  HealingCoordinates coordinates = HealingCoordinates::factors;

  bool is_whitened() const { return steps > 0 && coordinates == HealingCoordinates::whitened; }
};

/// Of language models, on all weights that the patterns select, compressed or not.
struct AdapterOptions {
  Adapter kind = Adapter::none;
  std::vector<std::string> weights = {"*"};  ///< patterns of names
  weights::AdapterSide side = weights::AdapterSide::inputs;
  std::int64_t block = 4;
  std::int64_t layers = 1;
  std::int64_t rank = 1;  ///< of "lora"
  std::int64_t steps = 200;
  HealingLoss loss = HealingLoss::next_token;
  std::string original;               ///< folder of the model to learn from; empty for model.path
  std::int64_t windows_per_step = 1;  ///< of each team
  std::int64_t window_length = 512;
  double learning_rate = 6e-3;
  double warm_up = 0.1;  ///< part of the steps in which the learning rate rises
  std::int64_t seed = 1;
  std::string directory;  ///< of PEFT's files; empty for none

  bool exists() const { return kind != Adapter::none; }
  bool has_blocks() const { return exists() && kind != Adapter::lora; }
  bool is_trained() const { return exists() && steps > 0; }
};

/// Blocks of adapters as noisy quantum circuits.
struct NoiseOptions {
  std::vector<double> error_rates = {};  ///< of a two-qubit gate; empty for no study
  std::vector<std::int64_t> shots = {};  ///< beside infinitely many
  double readout_error = 0;
  std::int64_t seed = 1;
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
  models::ExportFormat format = models::ExportFormat::automatic;
};

/// What is said of the model in the end.
struct SummaryOptions {
  bool speed = true;
  std::int64_t sample_tokens = 24;

  bool exists() const { return speed || sample_tokens > 0; }
};

struct CompressOptions {
  models::EvaluateOptions scoring;  ///< title, [model], [evaluate], [parallel], [output]
  CalibrationOptions calibration;
  std::vector<std::string> select = {"*"};
  MethodOptions method;
  FitOptions fit;
  DisentanglerOptions disentangler;
  RankOptions ranks;
  SensitivityOptions sensitivity;
  HealOptions heal;
  AdapterOptions adapter;
  NoiseOptions noise;
  TrainOptions train;
  ExperimentOptions experiments;
  SummaryOptions summary;
  ExportOptions result;

  /// A sensitivity profile takes the place of a compression.
  bool is_profile() const { return !sensitivity.bond_dimensions.empty(); }
  /// Without, an adapter is put on the model as it is.
  bool selects_weights() const { return !select.empty(); }
  bool needs_inputs() const {
    return selects_weights() && method.needs_inputs() && !needs_token_moments();
  }
  /// Whether weights get numbers of shared values of their own.
  bool allocates_values() const { return method.has_books() && ranks.bits_per_weight > 0; }
  bool needs_gradients() const {
    return selects_weights() && (method.weighting == Weighting::two_sided ||
                                 ranks.error_weights == ErrorWeights::output_gradient ||
                                 ranks.error_weights == ErrorWeights::balanced);
  }
  /// What errors of single weights cost is measured on calibration windows.
  bool measures_errors() const {
    return selects_weights() && ranks.error_weights == ErrorWeights::measured && !is_profile();
  }
  /// Input moments in which each token counts by its gradients, in place of the others.
  bool needs_token_moments() const {
    return selects_weights() && calibration.gradient_groups > 0 && method.rounds > 0 &&
           method.sized_by() == weights::SizedBy::values &&
           method.weighting == Weighting::two_sided;
  }
  bool needs_fermi() const {
    return selects_weights() && method.has_ranks() && ranks.allocation == Allocation::fermi &&
           !is_profile();
  }
  bool needs_calibration() const {
    return (heal.steps > 0 && heal.text.empty()) || adapter.is_trained() || needs_inputs() ||
           needs_gradients() || needs_fermi() || measures_errors();
  }
};

/// Declares [calibration], [select], [method], [ranks] and [export]: what every program that
/// compresses a network has beside [model] and its scores.
void declare_compression(deck::Schema& schema, CompressOptions& options);

/// Declares every keyword of rankine-compress.
void declare_keywords(deck::Schema& schema, CompressOptions& options);

}  // namespace rankine::compress
