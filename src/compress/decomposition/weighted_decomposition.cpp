// Groups weights with shared inputs, plans where they are decomposed, and goes through them.
#include "compress/decomposition/weighted_decomposition.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <exception>
#include <map>
#include <span>

#include "compress/decomposition/decomposition_plan.hpp"
#include "compress/decomposition/spread_decomposition.hpp"
#include "compress/decomposition/whole_decomposition.hpp"
#include "core/log.hpp"
#include "core/progress.hpp"
#include "core/text_format.hpp"
#include "parallel/agreement.hpp"
#include "weights/rows/single_threaded_blas.hpp"

namespace rankine::compress {

using models::Network;
using parallel::Communicator;
using parallel::Teams;

namespace {

/// One rank's part of the work on all weights.
class Decomposition {
 public:
  Decomposition(const Network& network, const Communicator& world, const Teams& teams,
                const std::vector<std::string>& names, ErrorNorm norm,
                const std::function<void()>& between, Output told)
      : world_(world),
        teams_(teams),
        norm_(std::move(norm)),
        between_(between),
        told_(told),
        type_(weight_of(network, names.front())->own_rows().scalar_type()) {
    for (const std::string& name : names) {
      weights_.push_back(weight_of(network, name));
      results_.push_back({.name = name});
    }
    form_groups();
  }

  std::vector<WeightFactors> run(double bytes) {
    const DecompositionPlan plan = plan_decomposition(
        shapes_of_groups(),
        {.ranks = world_.size(), .threads = world_.max(omp_get_max_threads()), .bytes = bytes});
    if (told_ == Output::shown) log().info("{}", plan.reason);
    std::vector<std::size_t> whole;
    ProgressLine progress(world_.rank() == 0 ? told_ : Output::silent);
    for (std::size_t g = 0; g < groups_.size(); ++g)
      if (plan.placements[g] == Placement::one_rank)
        whole.push_back(g);
      else
        run_spread(g, progress);
    run_whole(whole, static_cast<std::size_t>(world_.size() * plan.at_once), progress);
    return std::move(results_);
  }

 private:
  using Group = std::vector<std::size_t>;  // of weights

  bool has_inputs() const { return norm_.inputs != InputWeighting::none; }

  GroupShape shape_of(const Group& group) const {
    GroupShape shape{.columns = weights_[group.front()]->inputs(),
                     .is_two_sided = !norm_.output_moments.empty()};
    if (has_inputs())
      shape.input_numbers =
          norm_.inputs == InputWeighting::diagonal ? shape.columns : shape.columns * shape.columns;
    for (const std::size_t w : group) shape.rows.push_back(weights_[w]->outputs());
    return shape;
  }
  std::vector<GroupShape> shapes_of_groups() const {
    std::vector<GroupShape> shapes;
    for (const Group& group : groups_) shapes.push_back(shape_of(group));
    return shapes;
  }

  /// The most expensive first.
  void form_groups() {
    std::map<std::size_t, Group> members;
    for (std::size_t w = 0; w < weights_.size(); ++w)
      members[has_inputs() ? norm_.input_moments.of_weight[w] : w].push_back(w);
    for (auto& [moment, group] : members) groups_.push_back(std::move(group));
    std::ranges::stable_sort(groups_, std::greater<>(),
                             [&](const Group& group) { return cost_of(shape_of(group)); });
  }

  SecondMoment* inputs_of(const Group& group) {
    if (!has_inputs()) return nullptr;
    return &norm_.input_moments.moments[norm_.input_moments.of_weight[group.front()]];
  }

  GroupTask task_of(const Group& group) {
    GroupTask task{.weighting = norm_.inputs,
                   .inputs = inputs_of(group),
                   .ridge = norm_.ridge,
                   .input_ridge = norm_.input_ridge,
                   .type = type_};
    for (const std::size_t w : group)
      task.weights.push_back({*weights_[w],
                              norm_.output_moments.empty() ? nullptr : &norm_.output_moments[w],
                              results_[w]});
    return task;
  }

  void release_moments(const Group& group) {
    if (SecondMoment* moment = inputs_of(group)) moment->release();
    for (const std::size_t w : group)
      if (!norm_.output_moments.empty()) norm_.output_moments[w].release();
  }

  void run_spread(std::size_t g, ProgressLine& progress) {
    if (!grid_) {
      const linalg::GridShape shape = linalg::squarest(world_.size());
      grid_ = std::make_shared<linalg::ProcessGrid>(world_, shape.rows, shape.columns);
    }
    decompose_spread(grid_, teams_, task_of(groups_[g]));
    release_moments(groups_[g]);
    report(1, progress);
  }

  /// `slots` groups at once, dealt out to the ranks in turn.
  void run_whole(const std::vector<std::size_t>& chosen, std::size_t slots,
                 ProgressLine& progress) {
    for (std::size_t first = 0; first < chosen.size(); first += slots) {
      std::vector<WholeGroup> groups;
      for (std::size_t i = first; i < std::min(chosen.size(), first + slots); ++i) {
        const Group& group = groups_[chosen[i]];
        const auto owner = static_cast<int>((i - first) % static_cast<std::size_t>(world_.size()));
        groups.emplace_back(task_of(group), world_, teams_, owner);
        release_moments(group);
      }
      work_on(groups);
      for (WholeGroup& group : groups) group.finish();
      report(groups.size(), progress);
    }
  }

  void work_on(std::vector<WholeGroup>& groups) const {
    std::vector<WholeGroup*> own;
    for (WholeGroup& group : groups)
      if (group.is_mine()) own.push_back(&group);
    std::vector<std::exception_ptr> failures(own.size());
    const weights::SingleThreadedBlas guard;
#pragma omp parallel for schedule(dynamic)
    for (std::size_t g = 0; g < own.size(); ++g) {
      try {
        own[g]->run();
      } catch (...) {
        failures[g] = std::current_exception();
      }
    }
    parallel::agree_on_failure(world_, [&] {
      for (const std::exception_ptr& failure : failures)
        if (failure) std::rethrow_exception(failure);
    });
  }

  void report(std::size_t count, ProgressLine& progress) {
    done_ += count;
    progress.update(static_cast<double>(done_) / static_cast<double>(groups_.size()),
                    fmt::format("decomposed {} of {} of weights", done_,
                                counted(std::ssize(groups_), "group")));
    between_();
  }

  const Communicator& world_;
  const Teams& teams_;
  ErrorNorm norm_;
  const std::function<void()>& between_;
  Output told_;
  torch::ScalarType type_;
  std::vector<std::shared_ptr<weights::Weight>> weights_;
  std::vector<Group> groups_;
  std::vector<WeightFactors> results_;
  std::shared_ptr<const linalg::ProcessGrid> grid_;
  std::size_t done_ = 0;
};

}  // namespace

std::vector<WeightFactors> decompose(const Network& network, const Communicator& world,
                                     const Teams& teams, const std::vector<std::string>& names,
                                     ErrorNorm norm, double bytes,
                                     const std::function<void()>& between, Output told) {
  if (names.empty()) return {};
  return Decomposition(network, world, teams, names, std::move(norm), between, told).run(bytes);
}

weights::FactorRows leading_factors(const Communicator& team, const WeightFactors& factors,
                                    const weights::RowSplit& split, std::int64_t kept_rank) {
  weights::RowSplit middle = weights::RowSplit::even(kept_rank, team.size());
  return {factors.bases->left_rows(weights::range_of(split, team.rank()), kept_rank),
          factors.bases->right_rows(weights::range_of(middle, team.rank())), std::move(middle)};
}

}  // namespace rankine::compress
