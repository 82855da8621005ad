// What a compression has to tell: of each weight, of its scores and of its time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compress/allocation/allocation.hpp"
#include "compress/experiments/noise_map.hpp"
#include "compress/experiments/sensitivity_profile.hpp"
#include "models/export/export_format.hpp"
#include "models/language/speed.hpp"
#include "models/score.hpp"
#include "train/state.hpp"
#include "weights/forms/form.hpp"
#include "weights/storage/storage.hpp"

namespace rankine::compress {

/// What the gates beside an operator did.
struct GateReport {
  std::int64_t numbers = 0;       ///< of the gates; 0 for a weight without
  double overlap_alone = 0;       ///< of the weight with its operator without gates, in [0, 1]
  std::vector<double> overlaps;   ///< with gates, at the start and after each sweep
  std::vector<double> entropies;  ///< of the cut without gates and in the end, nat; or none
};

/// What became of one weight.
struct WeightReport {
  std::string name;
  MatrixShape shape;
  weights::Form form = weights::Form::dense;  ///< of the deck; dense where that is no larger
  std::int64_t rank = 0;
  std::int64_t numbers = 0;
  std::int64_t bytes = 0;
  weights::Storage storage = weights::Storage::exact;
  double rounding_error = 0;  ///< change of the matrix by that storage, relative
  /// Discarded part of the weight in the norm of method.weighting, relative.
  double weighted_error = 0;
  std::vector<double> spectrum;    ///< all singular values in that norm
  std::string pivot_side;          ///< "rows" or "columns"; empty until pivots are chosen
  double largest_coefficient = 0;  ///< of a pivoted form; 0 without
  double identity_error = 0;       ///< of fixing the gauge, relative
  GateReport gates;
};

/// The score of one experiment with clustered weights.
struct ExperimentPoint {
  std::string experiment;     ///< "k-means", a change of values, or "layer-by-layer" and a change
  std::int64_t clusters = 0;  ///< shared values of each matrix
  std::int64_t seed = -1;     ///< -1 where nothing is random
  std::int64_t layers = 0;    ///< how many of the last layers have changed values
  models::Score score = {};   ///< with a loss that may be infinite
};

/// What became of the adapter.
struct AdapterReport {
  std::optional<models::Score> unadapted;  ///< of the model before it, where scores are taken
  std::vector<double> losses = {};         ///< of each step, in nat
};

/// Speed and writing of a model.
struct SummaryOfModel {
  std::optional<models::Speed> speed = {};
  std::string prompt = {};
  std::string sample = {};  ///< what follows
};

/// What a compression gave, for people.
struct ModelSummary {
  std::uint64_t bytes_before = 0;
  std::map<models::ExportFormat, std::uint64_t> bytes_after = {};
  SummaryOfModel before = {};
  SummaryOfModel after = {};
};

struct CompressionTimes {
  double load = 0, inputs = 0, gradients = 0, decomposition = 0, allocation = 0, conversion = 0,
         fit = 0;
  double healing = 0, adapter = 0, experiments = 0;
};

/// All but the scores is the same on all ranks; those are complete on rank 0.
struct CompressionResult {
  std::optional<models::Score> before;
  std::optional<models::Score> unhealed;  ///< between compression and healing
  std::optional<models::Score> after;
  train::State healing;  ///< its scores are the losses of held-out windows, that before it first
  std::vector<WeightReport> weights;
  std::optional<AdapterReport> adapter;
  std::optional<NoiseMap> noise;
  std::vector<ExperimentPoint> experiments;
  std::optional<SensitivityProfile> sensitivity;  ///< in place of weights and scores after
  std::optional<ModelSummary> summary;
  CompressionTimes seconds;
  std::uint64_t peak_bytes_largest_rank = 0;

  std::int64_t parameters() const;  ///< stored numbers of the selected weights
  std::int64_t bytes() const;
};

/// Called on all ranks when something more is known.
using SaveResult = std::function<void(const CompressionResult&)>;

}  // namespace rankine::compress
