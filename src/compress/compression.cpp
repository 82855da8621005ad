#include "compress/compression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compress/allocation.hpp"
#include "compress/checkpoint_export.hpp"
#include "compress/direct_forms.hpp"
#include "compress/factors.hpp"
#include "compress/fermi_loss.hpp"
#include "compress/healing.hpp"
#include "compress/moments.hpp"
#include "compress/watched_weight.hpp"
#include "core/log.hpp"
#include "core/memory.hpp"
#include "core/progress.hpp"
#include "core/text_format.hpp"
#include "core/timer.hpp"
#include "parallel/teams.hpp"
#include "weights/dense.hpp"
#include "weights/low_rank.hpp"
#include "weights/pivoted.hpp"

namespace rankine::compress {

using models::LanguageModel;
using parallel::Communicator;
using parallel::Teams;
using torch::Tensor;

namespace {

InputWeighting input_weighting(const std::string& weighting) {
  if (weighting == "none") return InputWeighting::none;
  return weighting == "diagonal" ? InputWeighting::diagonal : InputWeighting::full;
}

/// One rank's part of a compression.
class Compression {
 public:
  Compression(const CompressionJob& job, const Communicator& world, const SaveResult& save)
      : job_(job),
        options_(job.options),
        world_(world),
        save_(save),
        teams_(world, static_cast<int>(job.options.scoring.parallel.teams)),
        model_(timed(result_.seconds.load, [&] { return read_model(); })) {
    for (const NamedShape& weight : job.selected) names_.push_back(weight.name);
  }

  CompressionResult run() {
    result_.before = score("before");
    save_(result_);
    if (options_.method.has_ranks())
      replace_by_components(measure());
    else
      timed(result_.seconds.conversion, [&] { replace_directly(measure()); });
    save_(result_);
    if (options_.heal.steps > 0) {
      result_.unhealed = score("before healing, after");
      timed(result_.seconds.healing, [&] {
        result_.healing_losses =
            heal(model_, world_, teams_, compressed_names(), job_.healing_windows, options_.heal);
      });
    }
    if (!options_.result.directory.empty())
      write_checkpoint(
          model_, world_, teams_, options_.scoring.model.path, options_.result.directory,
          options_.result.format == "dense" ? ExportFormat::dense : ExportFormat::factorised);
    result_.after = score("after");
    result_.peak_bytes_largest_rank = world_.max(peak_resident_bytes());
    return std::move(result_);
  }

 private:
  /// Of the weights that are not dense any more.
  std::vector<std::string> compressed_names() const {
    std::vector<std::string> names;
    for (const WeightReport& weight : result_.weights)
      if (weight.form != "dense") names.push_back(weight.name);
    return names;
  }

  void replace_by_components(ErrorNorm norm) {
    timed(result_.seconds.decomposition,
          [&] { factors_ = decompose(model_, world_, teams_, names_, std::move(norm)); });
    timed(result_.seconds.allocation, [&] { allocate(); });
    timed(result_.seconds.conversion, [&] { convert(); });
  }

  void replace_directly(const ErrorNorm& norm) {
    ProgressLine progress(world_.rank() == 0 ? Output::shown : Output::silent);
    for (std::size_t w = 0; w < names_.size(); ++w) {
      const auto dense = weight_of(model_, names_[w]);
      WeightMoments moments;
      if (options_.method.needs_inputs())
        moments.inputs =
            norm.input_moments.moments[norm.input_moments.of_weight[w]].assemble(world_);
      if (options_.method.needs_gradients())
        moments.outputs = norm.output_moments[w].assemble(world_);
      const bool is_mpo = options_.method.form == "mpo";
      const DirectForm form =
          is_mpo ? make_matrix_product_form(options_, teams_.team(), *dense, moments)
                 : make_clustered_form(options_, teams_.team(), *dense, moments);
      model_.replace_weight(names_[w], form.weight);
      WeightReport report;
      report.name = names_[w];
      report.shape = job_.selected[w].shape;
      report.form = form.weight->form();
      report.rank = form.rank;
      report.numbers = form.weight->stored_numbers();
      report.bytes = form.weight->stored_bytes();
      report.weighted_error = form.weighted_error;
      result_.weights.push_back(std::move(report));
      progress.update(static_cast<double>(w + 1) / static_cast<double>(names_.size()),
                      fmt::format("converted {} of {} weights", w + 1, names_.size()));
    }
  }

  /// Runs `work` and adds the time of the slowest rank.
  template <class Work>
  std::invoke_result_t<Work> timed(double& seconds, Work&& work) {
    const Stopwatch clock;
    if constexpr (std::is_void_v<std::invoke_result_t<Work>>) {
      work();
      seconds += world_.max(clock.seconds());
    } else {
      auto value = work();
      seconds += world_.max(clock.seconds());
      return value;
    }
  }

  LanguageModel read_model() const {
    return LanguageModel::read(world_, teams_.team(), options_.scoring.model.path,
                               options_.scoring.model.precision == "float64"
                                   ? models::Precision::float64
                                   : models::Precision::float32);
  }

  std::optional<models::EvaluationResult> score(const char* when) {
    if (job_.scoring.plan.windows.empty()) return std::nullopt;
    auto scored = models::score_model(job_.scoring, world_, teams_, model_);
    log().info("perplexity {} compression: {:.4e} ({})", when,
               std::exp(scored.mean(job_.scoring, scored.scores.negative_log_likelihood)),
               format_duration(scored.loop_seconds));
    return scored;
  }

  ErrorNorm measure() {
    ErrorNorm norm{.inputs = input_weighting(options_.method.weighting),
                   .ridge = options_.calibration.ridge};
    if (options_.method.needs_inputs()) {
      timed(result_.seconds.inputs, [&] {
        norm.input_moments =
            measure_inputs(model_, world_, teams_, names_, job_.calibration_windows);
      });
      log().info("input moments of {} windows measured in {}", job_.calibration_windows.size(),
                 format_duration(result_.seconds.inputs));
    }
    if (options_.method.needs_gradients()) {
      timed(result_.seconds.gradients, [&] {
        norm.output_moments =
            measure_output_gradients(model_, world_, teams_, names_, job_.gradient_windows);
      });
      log().info("output gradients of {} windows measured in {}", job_.gradient_windows.size(),
                 format_duration(result_.seconds.gradients));
    }
    return norm;
  }

  void allocate() {
    log().info("{} weights decomposed in {}", names_.size(),
               format_duration(result_.seconds.decomposition));
    const RankOptions& how = options_.ranks;
    const Storage storage = options_.method.storage();
    for (std::size_t w = 0; w < names_.size(); ++w)
      candidates_.push_back({names_[w], job_.selected[w].shape, factors_[w].singular_values});
    const std::int64_t budget = budget_of(candidates_, how.parameter_ratio);
    if (how.bond_dimension > 0)
      ranks_.assign(names_.size(), how.bond_dimension);
    else if (how.allocation == "uniform")
      ranks_ = uniform_ranks(candidates_, storage, how.parameter_ratio);
    else
      ranks_ = additive_ranks(candidates_, storage, budget);
    if (how.allocation == "fermi") refine_by_gradient(storage, budget);
  }

  void refine_by_gradient(Storage storage, std::int64_t budget) {
    MaskedModel masked(model_, world_, teams_, factors_);
    ProgressLine progress(world_.rank() == 0 ? Output::shown : Output::silent);
    const std::int64_t steps = options_.ranks.fermi_steps;
    ranks_ =
        fermi_ranks(candidates_, storage, budget, ranks_, {.steps = steps},
                    [&](std::int64_t step, const Components& masks) {
                      auto gradient = masked.gradient(step, masks, job_.fermi_windows);
                      progress.update(static_cast<double>(step + 1) / static_cast<double>(steps),
                                      fmt::format("FermiGrad: step {} of {}", step + 1, steps));
                      return gradient;
                    });
  }

  void convert() {
    for (std::size_t w = 0; w < names_.size(); ++w) {
      WeightReport report;
      report.name = names_[w];
      report.shape = candidates_[w].shape;
      report.form = "dense";
      report.rank = ranks_[w];
      report.spectrum = candidates_[w].singular_values;
      report.weighted_error = relative_tail(candidates_[w], ranks_[w]);
      if (ranks_[w] < report.shape.full_rank())
        model_.replace_weight(names_[w], make_form(w, report));
      const auto weight = weight_of(model_, names_[w]);
      report.numbers = weight->stored_numbers();
      report.bytes = weight->stored_bytes();
      result_.weights.push_back(std::move(report));
      factors_[w].left = factors_[w].right = Tensor();
    }
  }

  static double relative_tail(const Candidate& candidate, std::int64_t rank) {
    const std::vector<double> tails = candidate.tails();
    const auto index = std::min(static_cast<std::size_t>(rank), tails.size() - 1);
    return tails[0] > 0 ? std::sqrt(tails[index] / tails[0]) : 0;
  }

  /// Columns of the left factor and rows of the right one get equal norms, which training likes.
  std::shared_ptr<weights::Weight> make_balanced_low_rank(const weights::RowSplit& split,
                                                          const RankFactors& factors,
                                                          const Tensor& own_left,
                                                          torch::ScalarType type) const {
    const Tensor scale =
        (factors.right.norm(2, 1) / factors.left.norm(2, 0)).clamp_min(1e-30).sqrt();
    return weights::make_low_rank(teams_.team(), split, own_left * scale,
                                  factors.right / scale.unsqueeze(1), type);
  }

  std::shared_ptr<weights::Weight> make_form(std::size_t w, WeightReport& report) {
    const auto dense = weight_of(model_, names_[w]);
    const weights::RowSplit& split = dense->split();
    const torch::ScalarType type = dense->own_rows().scalar_type();
    const int rank = teams_.team().rank();
    const std::int64_t kept = std::min<std::int64_t>(ranks_[w], std::ssize(report.spectrum));
    const RankFactors factors =
        broadcast_factors(world_, factors_[w], dense->outputs(), dense->inputs(), kept, type);
    const Tensor own_left = factors.left.narrow(0, split.first(rank), split.count(rank));
    if (options_.method.form == "dense")
      return std::make_shared<weights::Dense>(teams_.team(), split, own_left.matmul(factors.right));
    report.form = options_.method.form;
    if (options_.method.form == "low-rank")
      return make_balanced_low_rank(split, factors, own_left, type);
    weights::PivotReport pivots;
    auto weight =
        weights::make_pivoted(teams_.team(), split, own_left, factors.right, type, &pivots);
    report.largest_coefficient = pivots.largest_coefficient;
    report.identity_error = pivots.identity_error;
    return weight;
  }

  const CompressionJob& job_;
  const CompressOptions& options_;
  const Communicator& world_;
  const SaveResult& save_;
  Teams teams_;
  CompressionResult result_;
  LanguageModel model_;
  std::vector<std::string> names_;
  std::vector<WeightFactors> factors_;
  std::vector<Candidate> candidates_;
  std::vector<std::int64_t> ranks_;
};

}  // namespace

std::int64_t CompressionResult::parameters() const {
  std::int64_t sum = 0;
  for (const WeightReport& weight : weights) sum += weight.numbers;
  return sum;
}

std::int64_t CompressionResult::bytes() const {
  std::int64_t sum = 0;
  for (const WeightReport& weight : weights) sum += weight.bytes;
  return sum;
}

CompressionResult compress(const CompressionJob& job, const Communicator& world,
                           const SaveResult& save) {
  return Compression(job, world, save).run();
}

}  // namespace rankine::compress
