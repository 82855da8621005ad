#include "distill/local_distillation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <set>
#include <span>

#include "core/contracts.hpp"
#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/profile.hpp"
#include "core/text_format.hpp"
#include "core/timer.hpp"
#include "distill/kept_slices.hpp"
#include "distill/slice_training.hpp"
#include "distill/teacher_borders.hpp"
#include "parallel/agreement.hpp"
#include "run/fingerprint.hpp"
#include "weights/rows/row_exchange.hpp"

namespace rankine::distill {

using models::Stage;
using parallel::Communicator;
using parallel::Teams;
using torch::Tensor;
using weights::Parameter;

namespace {

/// A weight that gains nothing from its form stays dense, and is not trained.
bool is_replaced(const models::Network& student, const std::string& name) {
  return weight_of(student, name)->form() != weights::Form::dense;
}

/// The stages of a slice in a network, and what is trained in them.
struct StudentSlice {
  std::vector<Stage> stages;
  std::vector<Parameter> parameters;
  bool is_replaced = false;  ///< some of it; else it is passed over
};

/// Biases and norms of a language model are left alone: a checkpoint has those of the original.
StudentSlice slice_of(const models::Network& network, const Slice& slice, bool trains_norms) {
  const std::vector<Stage> all = network.stages();
  StudentSlice found;
  found.stages.assign(all.begin() + static_cast<std::ptrdiff_t>(slice.first_stage),
                      all.begin() + static_cast<std::ptrdiff_t>(slice.end_stage));
  for (const std::string& name : slice.weights) {
    if (!is_replaced(network, name)) continue;
    found.is_replaced = true;
    for (Parameter& parameter : weight_of(network, name)->parameters()) {
      parameter.name = name + "." + parameter.name;
      found.parameters.push_back(std::move(parameter));
    }
  }
  if (!trains_norms) return found;
  for (const Stage& stage : found.stages)
    found.parameters.insert(found.parameters.end(), stage.parameters.begin(),
                            stage.parameters.end());
  return found;
}

class LocalDistillation {
 public:
  explicit LocalDistillation(const LocalTask& task)
      : task_(task),
        deal_(task.samples.count, task.how.held_out, task.how.batch_size,
              static_cast<std::uint64_t>(task.how.seed)),
        parts_(task.teams.team(),
               task.samples.sharing == Sharing::dealt ? task.teams.team().size() : 1) {
    for (const Slice& slice : task.slices)
      slices_.push_back(slice_of(task.student, slice, task.samples.sharing == Sharing::dealt));
    report_.slices.resize(slices_.size());
    report_.samples = deal_.trained();
    report_.held_out = deal_.held_out();
    report_.teams = task.teams.count();
  }

  LocalReport run();

 private:
  bool is_left(std::size_t s) const {
    return slices_[s].is_replaced && !report_.slices[s].is_restored;
  }
  run::Stage stage_of(std::size_t s) const;
  void restore();
  /// Seconds that each slice will take one rank; 0 for those that are not left to be trained.
  std::vector<double> measure_costs() const;
  double measure_cost(std::size_t s, const Tensor& inputs) const;
  Borders pass_teacher_for(const TeamSchedule& schedule, int wave);
  void train(const TeamSchedule& schedule, int wave, Borders borders);
  SliceReport train(std::size_t s, const Borders& borders);
  double error_of_plain(const SliceTask& task, const Slice& slice) const;
  double learning_rate(std::size_t s) const {
    return task_.how.learning_rates.empty() ? task_.how.learning_rate : task_.how.learning_rates[s];
  }
  /// Every rank gets the parameters of a slice, and its report, from the team that trained it.
  void share(std::size_t s, int team);
  void share_report(SliceReport& report, int lead) const;
  void complete_reports();
  void simulate_teams();

  const LocalTask& task_;
  SampleDeal deal_;
  Teams parts_;  ///< of this team
  std::vector<StudentSlice> slices_;
  LocalReport report_;
  Stopwatch clock_;
};

/// The order of its batches follows from its position; the rates of other slices are no matter, so
/// one that diverged can be trained with another rate.
run::Stage LocalDistillation::stage_of(std::size_t s) const {
  return slice_stage(task_.slices[s].name,
                     run::Fingerprint().add(task_.of_deck).add(s).add(learning_rate(s)).value());
}

void LocalDistillation::restore() {
  const run::StageStore store(task_.world, task_.control.options.directory, task_.original,
                              task_.control.values);
  for (std::size_t s = 0; s < slices_.size(); ++s)
    if (slices_[s].is_replaced)
      if (auto kept = restore_slice(store, stage_of(s), slices_[s].parameters))
        report_.slices[s] = *kept;
  const auto restored = std::ranges::count_if(report_.slices, &SliceReport::is_restored);
  if (restored > 0)
    log().info("{} taken from '{}'", counted(restored, "finished slice"),
               store.directory().string());
}

double LocalDistillation::measure_cost(std::size_t s, const Tensor& inputs) const {
  // Never nothing, which would mean that the slice is not left to be trained.
  constexpr double least = 1e-9;
  for (const Parameter& parameter : slices_[s].parameters) parameter.values.set_requires_grad(true);
  const auto step = [&] {
    pass(slices_[s].stages, task_.samples.sharing, inputs).square().sum().backward();
  };
  step();  // the first one pays for memory
  double seconds = std::numeric_limits<double>::infinity();
  for (int repeat = 0; repeat < 3; ++repeat) {  // the least, as others may disturb
    const Stopwatch clock;
    step();
    seconds = std::min(seconds, clock.seconds());
  }
  for (const Parameter& parameter : slices_[s].parameters) {
    parameter.values.mutable_grad() = Tensor();
    parameter.values.set_requires_grad(false);
  }
  const auto samples = static_cast<double>(task_.how.epochs * deal_.trained());
  return std::max(seconds, least) * samples / static_cast<double>(inputs.size(0));
}

std::vector<double> LocalDistillation::measure_costs() const {
  const ProfileStage stage("slice costs");
  // The networks are held by teams that measure different slices.
  const Teams holders(task_.world, task_.world.sum(task_.student.team().rank() == 0 ? 1 : 0));
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(
      std::min<std::int64_t>(task_.samples.sharing == Sharing::dealt ? 16 : 1, deal_.trained())));
  std::iota(numbers.begin(), numbers.end(), std::int64_t{0});
  std::vector<double> costs(slices_.size(), 0.0);
  parallel::agree_between_teams(task_.world, task_.student.team(), [&] {
    const std::vector<Stage> stages = task_.teacher.stages();
    Tensor x = task_.samples.inputs(numbers);
    std::size_t next = 0;
    for (std::size_t s = 0; s < slices_.size(); ++s) {
      {
        const torch::NoGradGuard no_gradients;
        const std::size_t first = task_.slices[s].first_stage;
        x = pass(std::span(stages).subspan(next, first - next), task_.samples.sharing, x);
        next = first;
      }
      const bool is_mine = s % static_cast<std::size_t>(holders.count()) ==
                           static_cast<std::size_t>(holders.index());
      if (is_left(s) && is_mine) costs[s] = measure_cost(s, x);
    }
  });
  if (!holders.leads()) std::ranges::fill(costs, 0.0);
  task_.world.sum(std::span(costs));
  return costs;
}

Borders LocalDistillation::pass_teacher_for(const TeamSchedule& schedule, int wave) {
  std::vector<std::set<std::size_t>> wanted(static_cast<std::size_t>(task_.teams.count()));
  for (int team = 0; team < task_.teams.count(); ++team)
    for (const std::size_t s : schedule.slices(team, wave))
      wanted[static_cast<std::size_t>(team)].insert(
          {task_.slices[s].first_stage, task_.slices[s].end_stage});
  const Stopwatch clock;
  Borders borders = pass_teacher(task_.teacher, task_.samples, deal_, task_.world, task_.teams,
                                 wanted, task_.control.stop);
  report_.teacher_seconds += task_.world.max(clock.seconds());
  return borders;
}

/// With the plain weights in place of the fitted ones; biases and norms are the same.
double LocalDistillation::error_of_plain(const SliceTask& task, const Slice& slice) const {
  models::TemporaryWeights weights(task_.student);
  for (const std::string& name : slice.weights)
    if (is_replaced(task_.student, name)) weights.replace(name, task_.plain(name));
  return FeatureError(task).held_out();
}

SliceReport LocalDistillation::train(std::size_t s, const Borders& borders) {
  const ProfileStage stage("slices");
  const Slice& slice = task_.slices[s];
  const SliceTask task{.name = slice.name,
                       .position = s,
                       .stages = slices_[s].stages,
                       .parameters = slices_[s].parameters,
                       .inputs = borders.at(slice.first_stage),
                       .targets = borders.at(slice.end_stage),
                       .samples = task_.samples,
                       .deal = deal_,
                       .team = task_.teams.team(),
                       .parts = parts_,
                       .progress = task_.world.rank() == 0 ? Output::shown : Output::silent};
  const double started = clock_.seconds();
  const double before = error_of_plain(task, slice);
  SliceReport report = train_slice(task, task_.how, learning_rate(s), task_.control.stop);
  report.feature_error_before = before;
  report.team = task_.teams.index();
  report.started = started;
  report.finished = clock_.seconds();
  return report;
}

void LocalDistillation::train(const TeamSchedule& schedule, int wave, Borders borders) {
  const run::StageStore store(task_.teams.team(), task_.control.options.directory, task_.original,
                              task_.control.values);
  parallel::agree_between_teams(task_.world, task_.teams.team(), [&] {
    for (const std::size_t s : schedule.slices(task_.teams.index(), wave)) {
      const double cost = report_.slices[s].cost;
      report_.slices[s] = train(s, borders);
      report_.slices[s].cost = cost;
      keep_slice(store, stage_of(s), parts_, report_.slices[s], slices_[s].parameters);
    }
  });
}

void LocalDistillation::share_report(SliceReport& report, int lead) const {
  std::vector<double> numbers{report.feature_error_before,
                              report.feature_error_fit,
                              report.feature_error_after,
                              double(report.outcome),
                              double(report.team),
                              report.cost,
                              report.started,
                              report.finished};
  const std::size_t fixed = numbers.size();
  numbers.insert(numbers.end(), report.feature_errors.begin(), report.feature_errors.end());
  std::int64_t length = std::ssize(numbers);
  task_.world.broadcast(std::span(&length, 1), lead);
  numbers.resize(static_cast<std::size_t>(length));
  task_.world.broadcast(std::span(numbers), lead);
  report.feature_error_before = numbers[0];
  report.feature_error_fit = numbers[1];
  report.feature_error_after = numbers[2];
  report.outcome = static_cast<Outcome>(numbers[3]);
  report.team = static_cast<int>(numbers[4]);
  report.cost = numbers[5];
  report.started = numbers[6];
  report.finished = numbers[7];
  report.feature_errors.assign(numbers.begin() + static_cast<std::ptrdiff_t>(fixed), numbers.end());
}

void LocalDistillation::share(std::size_t s, int team) {
  const ProfileStage stage("slices shared", Flops::counted);
  const Communicator& world = task_.world;
  const bool is_mine = team == task_.teams.index();
  const int lead = world.max(is_mine && task_.teams.leads() ? world.rank() : -1);
  share_report(report_.slices[s], lead);
  const torch::NoGradGuard no_gradients;
  const bool is_whole = task_.samples.sharing == Sharing::dealt;
  for (const Parameter& parameter : slices_[s].parameters) {
    Tensor values = parameter.values;
    const weights::RowRange own{parameter.first_row, values.size(0)};
    const bool is_copy = is_whole || parameter.placement == weights::Placement::copy;
    const bool gives = is_mine && (!is_copy || world.rank() == lead);
    const std::int64_t width = whole_numel(parameter) / parameter.total_rows;
    const Tensor rows = values.reshape({values.size(0), width});
    const weights::RowRange given = gives ? own : weights::RowRange{};
    const Tensor found =
        weights::exchange_rows(world, rows.narrow(0, 0, given.count).contiguous(), given, own);
    values.copy_(found.view(values.sizes()));
  }
}

/// Of the slices that are not passed over, what they have in common whoever trained them.
void LocalDistillation::complete_reports() {
  std::vector<SliceReport> completed;
  for (std::size_t s = 0; s < slices_.size(); ++s) {
    const Slice& slice = task_.slices[s];
    if (!slices_[s].is_replaced) {
      log().info("{} is passed over: all of its weights stay dense", slice.name);
      continue;
    }
    SliceReport& report = completed.emplace_back(std::move(report_.slices[s]));
    report.name = slice.name;
    report.position = s;
    for (const std::string& name : slice.weights)
      report.parameters += weight_of(task_.student, name)->stored_numbers();
    if (report.outcome == Outcome::diverged && task_.world.rank() == 0)
      log().warn("{}: its training diverged, the fit is kept", slice.name);
  }
  report_.slices = std::move(completed);
}

/// What as many ranks as there are would have taken without a limit of memory.
void LocalDistillation::simulate_teams() {
  constexpr int most = 48;
  const auto all_ranks = static_cast<double>(task_.world.size());
  SimulatedWork work{
      .slices = {},
      .teacher = report_.teacher_seconds * all_ranks / static_cast<double>(report_.waves),
      .batch_size = task_.how.batch_size};
  const double ranks = all_ranks / task_.teams.count();
  for (const SliceReport& slice : report_.slices) work.slices.push_back(slice.seconds() * ranks);
  report_.simulated = simulate(work, most);
}

LocalReport LocalDistillation::run() {
  restore();
  const std::vector<double> costs = measure_costs();
  for (std::size_t s = 0; s < slices_.size(); ++s)
    if (is_left(s)) report_.slices[s].cost = costs[s];
  if (task_.waves)  // of the rank that has least room
    report_.waves = task_.world.max(parallel::agree_on_failure(
        task_.world, [&] { return task_.waves(TeamSchedule(costs, task_.teams.count(), 1)); }));
  const TeamSchedule schedule(costs, task_.teams.count(), static_cast<int>(report_.waves));
  for (int wave = 0; wave < schedule.waves(); ++wave)
    train(schedule, wave, pass_teacher_for(schedule, wave));
  for (std::size_t s = 0; s < slices_.size(); ++s)
    if (is_left(s)) share(s, schedule.team_of(s));
  complete_reports();
  report_.seconds = task_.world.max(clock_.seconds());
  simulate_teams();
  return std::move(report_);
}

}  // namespace

std::uint64_t fingerprint_of_slices(run::Fingerprint of_fit, const TrainingOptions& how) {
  const std::int64_t numbers[] = {how.sweeps, how.epochs, how.batch_size, how.seed};
  of_fit.add(std::span<const std::int64_t>(numbers));
  for (const double value : {how.warm_up, how.held_out}) of_fit.add(value);
  return of_fit.value();
}

SwappedSlice::SwappedSlice(models::Network& network, const models::Network& student,
                           const Slice& slice)
    : weights_(network) {
  const torch::NoGradGuard no_gradients;
  for (const std::string& name : slice.weights) weights_.replace(name, weight_of(student, name));
  const std::vector<Stage> stages = network.stages(), theirs = student.stages();
  for (std::size_t s = slice.first_stage; s < slice.end_stage; ++s)
    for (std::size_t p = 0; p < stages[s].parameters.size(); ++p) {
      Tensor values = stages[s].parameters[p].values;
      originals_.emplace_back(values, values.clone());
      values.copy_(theirs[s].parameters[p].values);
    }
}

SwappedSlice::~SwappedSlice() {
  const torch::NoGradGuard no_gradients;
  for (auto& [values, original] : originals_) values.copy_(original);
}

LocalReport train_slices(const LocalTask& task) {
  RANKINE_EXPECTS(
      task.how.learning_rates.empty() || task.how.learning_rates.size() == task.slices.size(),
      "each slice has a learning rate");
  return LocalDistillation(task).run();
}

void require_convergence(const LocalReport& report, const TrainingOptions& how,
                         const Communicator& world) {
  if (!how.fail_on_divergence) return;
  std::vector<std::string> diverged;
  for (const SliceReport& slice : report.slices)
    if (slice.outcome == Outcome::diverged) diverged.push_back(slice.name);
  if (diverged.empty()) return;
  throw known_to_all(
      world.size(),
      NumericalError(fmt::format(
          "the training of {} diverged (distill.fail_on_divergence asks to end there). Lower "
          "distill.learning_rate, or the rate of that slice in distill.learning_rates.",
          fmt::join(diverged, ", "))));
}

}  // namespace rankine::distill
