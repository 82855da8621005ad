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

ResourcePlan plan_resources(const Job& job, int n_ranks, int ranks_per_node, double node_bytes) {
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
  plan.bytes_allowed = limit > 0 ? limit : node_bytes / ranks_per_node;
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

/// The results of one round, which rank 0 has gathered: team t has computed point first + t.
void unpack_round(const Job& job, int n_teams, std::size_t first, std::span<const double> all,
                  std::vector<PointResult>& results) {
  if (all.empty()) return;
  const std::size_t n_points = std::min<std::size_t>(n_teams, results.size() - first);
  const std::size_t length = all.size() / n_points;
  for (std::size_t t = 0; t < n_points; ++t)
    results[first + t] = unpacked(all.subspan(t * length, length), job);
}

}  // namespace

std::vector<PointResult> run_sweep(const Job& job, const parallel::Communicator& world,
                                   files::ResultFile* file) {
  const parallel::Teams teams(world, static_cast<int>(job.options.parallel.teams));
  const std::vector<Point> points = sweep_points(job.options);
  std::vector<PointResult> results(points.size());
  std::optional<TeamProgress> progress;
  parallel::agree_on_failure(world, [&] {
    progress.emplace(job, points, teams, world.rank() == 0 ? Output::shown : Output::silent);
  });
  for (std::size_t first = 0; first < points.size(); first += teams.count()) {
    const std::size_t mine = first + teams.index();
    std::vector<double> numbers = parallel::agree_between_teams(world, teams.team(), [&] {
      if (mine >= points.size()) return std::vector<double>{};
      progress->begin(mine);
      return packed(simulate_point(
          job, points[mine], teams.team(),
          [&](double fraction, const std::string& text) { progress->update(fraction, text); }));
    });
    if (!teams.leads()) numbers.clear();
    const std::vector<double> all = world.gather(std::span<const double>(numbers), 0);
    parallel::agree_on_failure(world, [&] {
      unpack_round(job, teams.count(), first, all, results);
      if (!file) return;
      write_results(*file, job, points, results);
      const std::size_t done = first + teams.count();
      if (done < points.size())
        file->save(fmt::format("{} of {}", done, counted(std::ssize(points), "point")));
    });
  }
  return results;
}

}  // namespace rankine::gpeps
