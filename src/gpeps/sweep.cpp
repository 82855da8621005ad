#include "gpeps/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/progress.hpp"
#include "core/text_format.hpp"
#include "lattice/partition.hpp"
#include "parallel/agreement.hpp"
#include "parallel/teams.hpp"

namespace rankine::gpeps {

namespace {

/// Program, libraries and MPI buffers of one rank, measured on an empty run.
constexpr double program_bytes = 100e6;
constexpr double gibibyte = 1073741824.0;

std::int64_t element_bytes(const SimulateOptions& options) {
  return options.state.precision == "complex64" ? 8 : 16;
}

}  // namespace

std::string ResourcePlan::text() const {
  std::string text = fmt::format(
      "bond dimension at most {}, {:.2e} floating-point operations\n"
      "memory of the largest rank at most {} ({} ranks a team",
      bond_dimension, flops, format_bytes(static_cast<std::uint64_t>(bytes_largest_rank)),
      ranks_per_team);
  if (idle_ranks > 0) text += fmt::format(", {} of them idle: fewer sites than ranks", idle_ranks);
  text += bytes_allowed > 0 ? fmt::format("); a rank may use {}",
                                          format_bytes(static_cast<std::uint64_t>(bytes_allowed)))
                            : "); what a rank may use is unknown";
  return text;
}

ResourcePlan plan_resources(const Job& job, int n_ranks, int ranks_per_node, double node_bytes) {
  const auto teams = static_cast<int>(job.options.parallel.teams);
  if (teams > n_ranks)
    throw InputError(
        fmt::format("parallel.teams is {}, but there are only {} ranks. Start at least one rank a "
                    "team, or lower parallel.teams.",
                    teams, n_ranks));
  ResourcePlan plan;
  plan.ranks_per_team = n_ranks / teams;
  const double limit = job.options.parallel.memory_per_rank * gibibyte;
  plan.bytes_allowed = limit > 0 ? limit : node_bytes / ranks_per_node;
  const auto n_angles = static_cast<double>(job.options.circuit.theta_h.size());
  for (std::int64_t bond_dimension : job.options.state.max_bond_dimension) {
    const Forecast forecast =
        forecast_point(job, {job.options.circuit.theta_h.front(), bond_dimension});
    const auto owner = lattice::partition(job.graph, plan.ranks_per_team, forecast.site_flops);
    const auto bytes =
        bytes_per_rank(forecast, owner, plan.ranks_per_team, element_bytes(job.options));
    plan.bytes_largest_rank =
        std::max(plan.bytes_largest_rank, program_bytes + std::ranges::max(bytes));
    plan.idle_ranks = static_cast<int>(std::ranges::count(bytes, 0.0));
    plan.bond_dimension = std::max(plan.bond_dimension, forecast.bond_dimension);
    for (double flops : forecast.step_flops) plan.flops += n_angles * flops;
  }
  return plan;
}

void require_memory(const ResourcePlan& plan) {
  if (plan.bytes_allowed <= 0 || plan.bytes_largest_rank <= plan.bytes_allowed) return;
  const double ratio = plan.bytes_largest_rank / plan.bytes_allowed;
  throw ResourceError(fmt::format(
      "bond dimension {} needs up to {} on the largest rank, but a rank may use {}. Use about {} "
      "ranks a team (of nodes with as much memory), "
      "a bond dimension near {}, or precision \"complex64\".",
      plan.bond_dimension, format_bytes(static_cast<std::uint64_t>(plan.bytes_largest_rank)),
      format_bytes(static_cast<std::uint64_t>(plan.bytes_allowed)),
      static_cast<int>(std::ceil(ratio * plan.ranks_per_team * 1.2)),
      std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(plan.bond_dimension) /
                                                          std::cbrt(ratio) * 0.95))));
}

namespace {

/// Forecast work of each point: what progress and its time left are measured in.
std::vector<double> point_work(const Job& job, const std::vector<Point>& points) {
  std::vector<double> work;
  for (const Point& point : points) {
    if (!work.empty() && points[work.size() - 1].max_bond_dimension == point.max_bond_dimension) {
      work.push_back(work.back());
      continue;
    }
    double flops = 0;
    for (double step : forecast_point(job, point).step_flops) flops += step;
    work.push_back(flops);
  }
  return work;
}

/// Shows how far the points of one team have come.
class TeamProgress {
 public:
  TeamProgress(const Job& job, const std::vector<Point>& points, const parallel::Teams& teams,
               Output output)
      : line_(output), n_points_(points.size()) {
    const auto work = point_work(job, points);
    for (std::size_t p = teams.index(); p < points.size(); p += teams.count()) {
      work_.push_back(work[p]);
      total_ += work[p];
    }
  }

  void begin(std::size_t point) {
    point_ = point;
    done_ += position_ > 0 ? work_[position_ - 1] : 0;
    ++position_;
  }
  void update(double fraction, const std::string& text) {
    line_.update((done_ + fraction * work_[position_ - 1]) / total_,
                 fmt::format("point {}/{}  {}", point_ + 1, n_points_, text));
  }

 private:
  ProgressLine line_;
  std::size_t n_points_;
  std::size_t point_ = 0;
  std::size_t position_ = 0;
  std::vector<double> work_;
  double done_ = 0;
  double total_ = 0;
};

/// Gathers the results of one round on rank 0: team t has computed point first + t.
void collect(const Job& job, const parallel::Communicator& world, const parallel::Teams& teams,
             std::size_t first, const std::vector<double>& mine,
             std::vector<PointResult>& results) {
  const std::vector<double> all =
      world.gather(std::span(teams.leads() ? mine : std::vector<double>{}), 0);
  if (all.empty()) return;
  const std::size_t n_teams = std::min<std::size_t>(teams.count(), results.size() - first);
  const std::size_t length = all.size() / n_teams;
  for (std::size_t t = 0; t < n_teams; ++t)
    results[first + t] = unpacked(std::span(all).subspan(t * length, length), job);
}

}  // namespace

std::vector<PointResult> run_sweep(const Job& job, const parallel::Communicator& world,
                                   files::ResultFile* file) {
  const parallel::Teams teams(world, static_cast<int>(job.options.parallel.teams));
  const std::vector<Point> points = sweep_points(job.options);
  std::vector<PointResult> results(points.size());
  TeamProgress progress(job, points, teams, world.rank() == 0 ? Output::shown : Output::silent);
  for (std::size_t first = 0; first < points.size(); first += teams.count()) {
    const std::size_t mine = first + teams.index();
    const std::vector<double> numbers = parallel::agree_on_failure(world, [&] {
      if (mine >= points.size()) return std::vector<double>{};
      progress.begin(mine);
      return packed(simulate_point(
          job, points[mine], teams.team(),
          [&](double fraction, const std::string& text) { progress.update(fraction, text); }));
    });
    collect(job, world, teams, first, numbers, results);
    parallel::agree_on_failure(world, [&] {
      if (!file) return;
      write_results(*file, job, points, results);
      if (first + teams.count() < points.size()) file->save();
    });
  }
  return results;
}

}  // namespace rankine::gpeps
