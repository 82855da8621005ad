#include "distill/memory.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/errors.hpp"
#include "core/text_format.hpp"

namespace rankine::distill {

std::string DistillMemory::line() const {
  return fmt::format(
      "memory of the largest rank at most {} (compression {}, teacher {}, training {}, borders "
      "{}); a rank may use {}",
      format_bytes(total()), format_bytes(compression), format_bytes(teacher),
      format_bytes(training), format_bytes(borders),
      allowed > 0 ? format_bytes(allowed) : std::string("an unknown amount"));
}

std::string DistillMemory::border_line() const {
  if (borders <= 0) return "";
  return fmt::format("borders of the teacher: {} a rank, {}", format_bytes(borders),
                     waves == 1 ? "kept in memory" : fmt::format("in {} waves", waves));
}

void DistillMemory::require() const {
  if (allowed <= 0 || total() <= allowed) return;
  throw ResourceError(fmt::format(
      "distilling needs up to {} on the largest rank (a rank may use {}). Use fewer teams, fewer "
      "samples, a smaller distill.batch_size, or more nodes.",
      format_bytes(total()), format_bytes(allowed)));
}

double largest_wave(const std::vector<std::vector<double>>& bytes_of_teams, int waves) {
  double largest = 0;
  for (const std::vector<double>& bytes : bytes_of_teams)
    for (int wave = 0; wave < waves; ++wave) {
      const auto [first, end] = TeamSchedule::part_of_wave(bytes.size(), wave, waves);
      double sum = 0;
      for (std::size_t s = first; s < end; ++s) sum += bytes[s];
      largest = std::max(largest, sum);
    }
  return largest;
}

int waves_that_fit(const std::vector<std::vector<double>>& bytes_of_teams, double allowed) {
  std::size_t most = 1;
  for (const std::vector<double>& bytes : bytes_of_teams) most = std::max(most, bytes.size());
  const int single = static_cast<int>(most);
  if (allowed == 0) return 1;
  for (int waves = 1; waves <= single; ++waves)
    if (largest_wave(bytes_of_teams, waves) <= allowed) return waves;
  throw ResourceError(fmt::format(
      "the borders of a single slice need {} on a rank ({} are left beside networks and training). "
      "Use fewer samples, more ranks in a team, or more nodes.",
      format_bytes(largest_wave(bytes_of_teams, single)), format_bytes(std::max(0.0, allowed))));
}

double training_bytes(const std::vector<StageLayout>& stages, const std::vector<Slice>& slices,
                      const SliceMemory& rank) {
  constexpr double copies = 5;  // gradients, two moments, the fit and the best state
  double largest = 0;
  for (const Slice& slice : slices) {
    double numbers = 0;
    for (std::size_t s = slice.first_stage; s < slice.end_stage; ++s)
      numbers += copies * stages[s].parameters + 2 * rank.batch * stages[s].kept;
    largest = std::max(largest, numbers);
  }
  return rank.bytes_of_number * largest;
}

namespace {

/// Bytes of the borders on a rank, of the slices of each team.
std::vector<std::vector<double>> border_bytes(const std::vector<StageLayout>& stages,
                                              const std::vector<Slice>& slices,
                                              const TeamSchedule& schedule,
                                              const SliceMemory& rank) {
  std::vector<std::vector<double>> bytes;
  for (int team = 0; team < schedule.teams(); ++team) {
    bytes.emplace_back();
    for (const std::size_t s : schedule.slices(team, 0))
      bytes.back().push_back(
          rank.bytes_of_number * rank.samples *
          (stages[slices[s].first_stage].inputs + stages[slices[s].end_stage - 1].outputs));
  }
  return bytes;
}

}  // namespace

int plan_waves(DistillMemory& memory, const std::vector<StageLayout>& stages,
               const std::vector<Slice>& slices, const TeamSchedule& schedule) {
  const auto bytes = border_bytes(stages, slices, schedule, memory.rank);
  const double left = memory.allowed - memory.without_borders();
  if (memory.allowed > 0 && left <= 0) return 1;  // nothing to choose: `require` says so
  memory.waves = waves_that_fit(bytes, memory.allowed > 0 ? left : 0);
  memory.borders = largest_wave(bytes, memory.waves);
  return memory.waves;
}

void plan_waves(DistillMemory& memory, const std::vector<StageLayout>& stages,
                const std::vector<Slice>& slices, int teams) {
  std::vector<double> costs;
  for (const Slice& slice : slices) costs.push_back(slice.cost);
  plan_waves(memory, stages, slices, TeamSchedule(costs, teams, 1));
}

}  // namespace rankine::distill
