// What distilling takes of a rank's memory beside the compression, and in how many waves the
// teacher's borders fit.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "distill/options.hpp"
#include "distill/slices.hpp"
#include "distill/team_schedule.hpp"

namespace rankine::distill {

/// What a rank holds of the training of slices.
struct SliceMemory {
  double bytes_of_number = 0;
  double samples = 0;  ///< of each border, on a rank
  double batch = 0;    ///< samples of a step that it computes at once
};

/// Bytes of the largest rank, as upper bounds. And what it may use.
struct DistillMemory {
  double compression = 0;  ///< student, data, moments, program
  double teacher = 0;      ///< its weights
  double training = 0;     ///< gradients, optimiser, activations of a step
  double borders = 0;      ///< of the slices of one wave, before and behind them
  int waves = 1;           ///< times the teacher runs
  double allowed = 0;      ///< 0 when unknown
  SliceMemory rank = {};

  double without_borders() const { return compression + teacher + training; }
  double total() const { return without_borders() + borders; }
  std::string line() const;
  /// "borders of the teacher: 1.2 GiB a rank, kept in memory"; empty without borders.
  std::string border_line() const;
  /// Throws ResourceError when the forecast exceeds what is allowed.
  void require() const;
};

/// The largest sum of a part of a wave, over teams and waves.
double largest_wave(const std::vector<std::vector<double>>& bytes_of_teams, int waves);

/// The least number of waves in which every part fits `allowed` bytes (0: unknown, one wave).
/// Throws ResourceError, naming bytes, if a slice alone does not.
int waves_that_fit(const std::vector<std::vector<double>>& bytes_of_teams, double allowed);

/// Gradients, moments, the best state and the activations of a step of the largest slice.
double training_bytes(const std::vector<StageLayout>& stages, const std::vector<Slice>& slices,
                      const SliceMemory& rank);

/// The least number of waves in which the borders of these slices, dealt to teams in one wave, fit
/// beside everything else; sets their bytes. Throws like waves_that_fit.
int plan_waves(DistillMemory& memory, const std::vector<StageLayout>& stages,
               const std::vector<Slice>& slices, const TeamSchedule& schedule);

/// The same, the slices being dealt by the costs that their layouts have.
void plan_waves(DistillMemory& memory, const std::vector<StageLayout>& stages,
                const std::vector<Slice>& slices, int teams);

}  // namespace rankine::distill
