#include "gpeps/sweep.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/progress.hpp"
#include "core/text_format.hpp"
#include "gpeps/point_states.hpp"
#include "lattice/partition.hpp"
#include "parallel/agreement.hpp"
#include "parallel/teams.hpp"

namespace rankine::gpeps {

namespace {

/// Program, libraries and MPI buffers of one rank: 35 MiB on an idle one, and room for messages.
constexpr double program_bytes = 100e6;
constexpr double gibibyte = 1073741824.0;

std::int64_t element_bytes(const SimulateOptions& options) {
  return options.state.precision == "complex64" ? 8 : 16;
}

}  // namespace

bool ResourcePlan::vector_is_too_large() const {
  return bytes_allowed > 0 && program_bytes + vector_bytes > bytes_allowed;
}

std::vector<std::string> ResourcePlan::lines() const {
  std::vector<std::string> lines{
      fmt::format("bond dimension at most {}, {:.2e} floating-point operations", bond_dimension,
                  flops),
      fmt::format("memory of the largest rank at most {} ({} a team); a rank may use {}",
                  format_bytes(bytes_largest_rank), counted(ranks_per_team, "rank"),
                  bytes_allowed > 0 ? format_bytes(bytes_allowed) : "an unknown amount")};
  if (!idle_ranks.empty())
    lines.push_back(
        idle_ranks.size() == 1
            ? fmt::format("idle, since it owns no site: rank {} of a team", idle_ranks[0])
            : fmt::format("idle, since they own no site: ranks {} of a team",
                          fmt::join(idle_ranks, ", ")));
  return lines;
}

namespace {

/// Largest forecast of a team of `n_ranks`, per rank, program included; `idle` gets the ranks
/// without sites.
double largest_rank_bytes(const Job& job, const Forecast& forecast, int n_ranks,
                          std::vector<int>& idle) {
  const auto owner = lattice::partition(job.graph, n_ranks, forecast.site_flops);
  const auto bytes = bytes_per_rank(forecast, owner, n_ranks, element_bytes(job.options));
  idle.clear();
  for (int rank = 0; rank < n_ranks; ++rank)
    if (std::ranges::count(owner, rank) == 0) idle.push_back(rank);
  return program_bytes + std::ranges::max(bytes);
}

/// The smallest team that fits, found by doubling its size up to one rank a site; 0 when none does.
int ranks_that_fit(const Job& job, const Forecast& forecast, double bytes_allowed) {
  std::vector<int> idle;
  for (int ranks = 1; ranks < 2 * job.graph.n_sites(); ranks *= 2) {
    const int team = std::min(ranks, job.graph.n_sites());
    if (largest_rank_bytes(job, forecast, team, idle) <= bytes_allowed) return team;
  }
  return 0;
}

}  // namespace

ResourcePlan plan_resources(const Job& job, const run::Machine& machine) {
  const int n_ranks = machine.ranks;
  const auto teams = static_cast<int>(job.options.parallel.teams);
  if (teams > n_ranks)
    throw InputError(fmt::format(
        "parallel.teams is {}, but there {} only {}. Start at least one rank a team, or "
        "lower parallel.teams.",
        teams, n_ranks == 1 ? "is" : "are", counted(n_ranks, "rank")));
  ResourcePlan plan;
  plan.ranks_per_team = n_ranks / teams;
  plan.is_single_precision = job.options.state.precision == "complex64";
  const double limit = job.options.parallel.memory_per_rank * gibibyte;
  plan.bytes_allowed =
      limit > 0 ? limit : static_cast<double>(machine.node_bytes) / machine.ranks_per_node;
  const auto n_angles = static_cast<double>(job.options.circuit.theta_h.size());
  for (std::int64_t bond_dimension : job.options.state.max_bond_dimension) {
    const Forecast forecast =
        forecast_point(job, {parameters_at(job.options, generic_angle), bond_dimension});
    plan.flops += n_angles * total_flops(forecast);
    plan.vector_bytes =
        std::max(plan.vector_bytes,
                 forecast.vector_elements * static_cast<double>(element_bytes(job.options)));
    plan.bond_dimension = std::max(plan.bond_dimension, forecast.bond_dimension);
    const double bytes = largest_rank_bytes(job, forecast, plan.ranks_per_team, plan.idle_ranks);
    if (bytes <= plan.bytes_largest_rank) continue;
    plan.bytes_largest_rank = bytes;
    if (plan.bytes_allowed > 0 && bytes > plan.bytes_allowed && !plan.vector_is_too_large())
      plan.ranks_advised = ranks_that_fit(job, forecast, plan.bytes_allowed);
  }
  return plan;
}

void require_memory(const ResourcePlan& plan) {
  if (plan.bytes_allowed <= 0 || plan.bytes_largest_rank <= plan.bytes_allowed) return;
  const std::string single_precision =
      plan.is_single_precision ? "" : ", or state.precision = \"complex64\"";
  if (plan.vector_is_too_large())
    throw ResourceError(fmt::format(
        "a state vector needs {} beside the program on the rank that holds it, but a rank may use "
        "{}. Lower measure.state_vector_sites (then such values are contracted, or ignore loops "
        "and say so), use fewer ranks a node{}.",
        format_bytes(plan.vector_bytes), format_bytes(plan.bytes_allowed), single_precision));
  const std::string ranks = plan.ranks_advised > 0
                                ? fmt::format("Use about {} a team with as much memory each, ",
                                              counted(plan.ranks_advised, "rank"))
                                : std::string("No number of ranks would do; use ");
  throw ResourceError(fmt::format(
      "bond dimension {} needs up to {} on the largest rank, but a rank may use {}. {}a smaller "
      "state.max_bond_dimension{}.",
      plan.bond_dimension, format_bytes(plan.bytes_largest_rank), format_bytes(plan.bytes_allowed),
      ranks, single_precision));
}

namespace {

/// Forecast work of each point: what progress and its time left are measured in.
std::vector<double> point_work(const Job& job, const std::vector<Point>& points) {
  std::map<std::int64_t, double> of_bond_dimension;
  for (std::int64_t bond_dimension : job.options.state.max_bond_dimension)
    of_bond_dimension[bond_dimension] = total_flops(
        forecast_point(job, {parameters_at(job.options, generic_angle), bond_dimension}));
  std::vector<double> work;
  for (const Point& point : points) work.push_back(of_bond_dimension[point.max_bond_dimension]);
  return work;
}

/// Shows how far the points of one team have come.
class TeamProgress {
 public:
  /// `mine`: the points of the team, in their order; `work` of all points.
  TeamProgress(const std::vector<double>& work, const std::vector<std::size_t>& mine, Output output)
      : line_(output), n_points_(work.size()) {
    for (const std::size_t point : mine) {
      work_.push_back(work[point]);
      total_ += work[point];
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

/// Places of the points without results, the same on all ranks.
std::vector<std::size_t> open_points(const parallel::Communicator& world,
                                     const std::vector<PointResult>& results) {
  std::vector<std::size_t> open;
  if (world.rank() == 0)
    for (std::size_t p = 0; p < results.size(); ++p)
      if (!is_done(results[p])) open.push_back(p);
  return world.all_gather(std::span<const std::size_t>(open));
}

/// Every `teams.count()`-th of the open points.
std::vector<std::size_t> points_of_team(const std::vector<std::size_t>& open,
                                        const parallel::Teams& teams) {
  std::vector<std::size_t> mine;
  for (std::size_t p = teams.index(); p < open.size(); p += teams.count()) mine.push_back(open[p]);
  return mine;
}

/// The results of one round, which rank 0 has gathered, one after the other.
void unpack_round(const Job& job, std::span<const std::size_t> round, std::span<const double> all,
                  std::vector<PointResult>& results) {
  const std::size_t length = all.size() / round.size();
  for (std::size_t t = 0; t < round.size(); ++t)
    results[round[t]] = unpacked(all.subspan(t * length, length), job.plan);
}

}  // namespace

void run_sweep(const Job& job, const parallel::Communicator& world, const run::RunControl& control,
               std::vector<PointResult>& results) {
  const parallel::Teams teams(world, static_cast<int>(job.options.parallel.teams));
  const std::vector<Point> points = sweep_points(job.options);
  const std::vector<std::size_t> open = open_points(world, results);
  const std::vector<std::size_t> mine = points_of_team(open, teams);
  std::optional<TeamProgress> progress;
  parallel::agree_on_failure(world, [&] {
    progress.emplace(point_work(job, points), mine,
                     world.rank() == 0 ? Output::shown : Output::silent);
  });
  const auto per_round = static_cast<std::size_t>(teams.count());
  for (std::size_t first = 0, round = 0; first < open.size(); first += per_round, ++round) {
    control.stop.check(world);
    std::optional<PointStates> states;
    std::vector<double> numbers = parallel::agree_between_teams(world, teams.team(), [&] {
      if (round >= mine.size()) return std::vector<double>{};
      progress->begin(mine[round]);
      states.emplace(job, points[mine[round]], teams.team(), control);
      return packed(states->simulate(
          [&](double fraction, const std::string& text) { progress->update(fraction, text); }));
    });
    if (!teams.leads()) numbers.clear();
    const std::vector<double> all = world.gather(std::span<const double>(numbers), 0);
    parallel::agree_on_failure(world, [&] {
      if (world.rank() != 0) return;
      const std::size_t count = std::min(per_round, open.size() - first);
      unpack_round(job, std::span(open).subspan(first, count), all, results);
      control.save();  // before the states are cleared
    });
    parallel::agree_between_teams(world, teams.team(), [&] {
      if (states) states->clear();
    });
  }
}

std::string finished_points(const std::vector<PointResult>& results) {
  const auto done = std::ranges::count_if(results, is_done);
  return done == 0 ? "" : fmt::format("{} of {}", done, counted(std::ssize(results), "point"));
}

}  // namespace rankine::gpeps
