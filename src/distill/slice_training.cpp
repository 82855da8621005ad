#include "distill/slice_training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "core/errors.hpp"
#include "train/training_loop.hpp"

namespace rankine::distill {

using torch::Tensor;
using weights::Parameter;
using weights::RowRange;

namespace {

/// Samples whose features are computed at once where no gradient is wanted.
constexpr std::int64_t samples_at_once = 64;

/// How the samples of a task lie on this rank.
RowRange own_held_out(const SliceTask& task) {
  return task.deal.held_out_of(task.samples.sharing, task.team.rank(), task.team.size());
}

/// Ranks that have samples of their own; the others repeat what these have.
double ranks_that_share(const SliceTask& task) {
  return task.samples.sharing == Sharing::dealt ? task.team.size() : 1;
}

/// The sum over the ranks where each has samples of its own.
double sum_of_shares(const SliceTask& task, double own) {
  return task.samples.sharing == Sharing::dealt ? task.team.sum(own) : own;
}

/// Calls work(inputs, targets) for parts of these samples.
template <class Work>
void for_parts(const SliceTask& task, RowRange range, Work&& work) {
  for (std::int64_t first = range.first; first < range.end(); first += samples_at_once) {
    const std::int64_t count = std::min(samples_at_once, range.end() - first);
    work(task.inputs.narrow(0, first, count), task.targets.narrow(0, first, count));
  }
}

double squared(const Tensor& values) {
  return values.to(torch::kFloat64).square().sum().item<double>();
}

/// Sums of values and of squares for each channel, and the number of values.
struct ChannelTotals {
  Tensor sums, squares;
  double count = 0;
};

ChannelTotals totals_of(const SliceTask& task) {
  const std::int64_t axis = task.samples.channel_axis(task.targets);
  const std::int64_t channels = task.targets.size(axis);
  std::vector<std::int64_t> others;
  for (std::int64_t d = 0; d < task.targets.dim(); ++d)
    if (d != axis) others.push_back(d);
  ChannelTotals totals{torch::zeros({channels}, torch::kFloat64),
                       torch::zeros({channels}, torch::kFloat64)};
  for_parts(task, {0, task.targets.size(0)}, [&](const Tensor&, const Tensor& targets) {
    const Tensor values = task.samples.as_counted(targets, targets).to(torch::kFloat64);
    totals.sums += values.sum(others);
    totals.squares += values.norm(2, others).square();
    totals.count += static_cast<double>(values.numel() / channels);
  });
  return totals;
}

}  // namespace

FeatureError::FeatureError(const SliceTask& task) : task_(task) {
  const torch::NoGradGuard no_gradients;
  const ChannelTotals own = totals_of(task);
  const Tensor all = torch::stack({own.sums, own.squares});
  if (task.samples.sharing == Sharing::dealt)
    task.team.sum(std::span(all.data_ptr<double>(), static_cast<std::size_t>(all.numel())));
  const double count = sum_of_shares(task, own.count);
  const double samples = sum_of_shares(task, static_cast<double>(task.targets.size(0)));
  const double around_means = (all[1] - all[0].square() / count).clamp_min(0).sum().item<double>();
  // A slice whose features never change, but for rounding, has no scale of its own.
  const double rounding = 1e-14 * all[1].sum().item<double>();
  variance_ = around_means > rounding ? around_means / samples : 1;
}

double FeatureError::held_out() const {
  const torch::NoGradGuard no_gradients;
  double own = 0;
  for_parts(task_, own_held_out(task_), [&](const Tensor& inputs, const Tensor& targets) {
    const Tensor features = pass(task_.stages, task_.samples.sharing, inputs);
    own += squared(task_.samples.as_counted(features - targets, targets));
  });
  return sum_of_shares(task_, own) / (variance_ * static_cast<double>(task_.deal.held_out()));
}

Tensor FeatureError::share(const Tensor& features, const Tensor& targets,
                           std::int64_t samples_of_batch) const {
  const Samples& samples = task_.samples;
  return at::mse_loss(samples.as_counted(features, targets), samples.as_counted(targets, targets),
                      at::Reduction::Sum)
             .to(torch::kFloat64) *
         (ranks_that_share(task_) / (variance_ * static_cast<double>(samples_of_batch)));
}

namespace {

/// The loss of a step: of the own part of a batch, or of its windows one after the other.
class BatchLoss {
 public:
  BatchLoss(const SliceTask& task, const FeatureError& error) : task_(task), error_(error) {}

  /// Windows of a step, as train::Objective counts them.
  std::int64_t windows() const {
    return task_.samples.sharing == Sharing::dealt ? 1 : task_.deal.batch_size(0);
  }

  Tensor operator()(std::int64_t window) {
    if (task_.samples.sharing == Sharing::dealt) {
      const RowRange rows = batch(window / task_.team.size());
      return loss_of(rows, batch_size_);
    }
    // Where the last batches are smaller, their first windows count twice.
    const RowRange rows = batch(window / windows());
    return loss_of({rows.first + (window % windows()) % rows.count, 1}, 1);
  }

 private:
  RowRange batch(std::int64_t step) {
    const std::int64_t epoch = step / task_.deal.batches();
    if (epoch != epoch_) order_ = task_.deal.order(task_.position, epoch);
    epoch_ = epoch;
    const int batch = order_[static_cast<std::size_t>(step % task_.deal.batches())];
    batch_size_ = task_.deal.batch_size(batch);
    return task_.deal.batch_of(batch, task_.samples.sharing, task_.team.rank(), task_.team.size());
  }

  Tensor loss_of(RowRange rows, std::int64_t samples) const {
    const Tensor features =
        pass(task_.stages, task_.samples.sharing, task_.inputs.narrow(0, rows.first, rows.count));
    return error_.share(features, task_.targets.narrow(0, rows.first, rows.count), samples);
  }

  const SliceTask& task_;
  const FeatureError& error_;
  std::vector<int> order_;
  std::int64_t epoch_ = -1;
  std::int64_t batch_size_ = 0;
};

/// A slice begins anew after a stop.
class NoKeeper final : public train::Keeper {
  std::optional<train::State> restore(std::int64_t, const std::vector<Parameter>&) override {
    return std::nullopt;
  }
  void keep(const train::State&, const std::vector<Parameter>&, When) override {}
};

/// The best state so far of some parameters.
class BestState {
 public:
  BestState(const std::vector<Parameter>& parameters, double error)
      : parameters_(parameters), error_(error) {
    keep();
  }
  double error() const { return error_; }
  void offer(double error) {
    if (!(error < error_)) return;
    error_ = error;
    keep();
  }
  void restore() const {
    const torch::NoGradGuard no_gradients;
    for (std::size_t p = 0; p < values_.size(); ++p)
      Tensor(parameters_[p].values).copy_(values_[p]);
  }

 private:
  void keep() {
    values_.clear();
    for (const Parameter& parameter : parameters_)
      values_.push_back(parameter.values.detach().clone());
  }

  const std::vector<Parameter>& parameters_;
  std::vector<Tensor> values_;
  double error_;
};

/// The same on all ranks of the team.
void require_finite(double error, const SliceTask& task) {
  if (std::isfinite(error)) return;
  throw known_to_all(task.team.size(),
                     NumericalError(fmt::format("the features behind {} are not finite (its "
                                                "training diverged). Lower distill.learning_rate.",
                                                task.name)));
}

train::Recipe recipe_of(const SliceTask& task, const TrainingOptions& how, double learning_rate) {
  return {.schedule = {.steps = how.epochs * task.deal.batches(),
                       .largest = learning_rate,
                       .warm_up = how.warm_up},
          .optimiser = {.beta_square = 0.999},
          .name = task.name,
          .advice = "Lower distill.learning_rate.",
          .progress = task.progress};
}

}  // namespace

SliceReport train_slice(const SliceTask& task, const TrainingOptions& how, double learning_rate,
                        run::StopRequest& stop) {
  const FeatureError error(task);
  SliceReport report{.name = task.name};
  report.feature_error_fit = error.held_out();
  report.feature_error_after = report.feature_error_fit;
  report.outcome = Outcome::fit_kept;
  const BestState fit(task.parameters, report.feature_error_fit);
  BestState best = fit;
  BatchLoss loss(task, error);
  const train::Objective objective(task.team, task.parts, loss.windows(), std::ref(loss));
  train::Recipe recipe = recipe_of(task, how, learning_rate);
  recipe.epochs = {task.deal.batches(), [&](std::int64_t) {
                     const double now = error.held_out();
                     require_finite(now, task);
                     report.feature_errors.push_back(now);
                     best.offer(now);
                     return now;
                   }};
  NoKeeper keeper;
  try {
    train::run(task.parameters, objective, recipe, keeper, stop);
    best.restore();
    if (best.error() < report.feature_error_fit) report.outcome = Outcome::trained;
    report.feature_error_after = best.error();
  } catch (const NumericalError&) {  // of all ranks of the team
    fit.restore();
    report.outcome = Outcome::diverged;
  }
  return report;
}

}  // namespace rankine::distill
