// Local distillation: the slices of a student, each trained against the features of the teacher,
// side by side on teams of ranks that exchange nothing meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "distill/options.hpp"
#include "distill/samples.hpp"
#include "distill/slice_report.hpp"
#include "distill/slices.hpp"
#include "distill/team_schedule.hpp"
#include "models/network.hpp"
#include "parallel/communicator.hpp"
#include "parallel/teams.hpp"
#include "run/fingerprint.hpp"
#include "run/run_control.hpp"

namespace rankine::distill {

/// The plain decomposition of a weight at the rank that the fit has given it. Collective over the
/// team of the networks.
using PlainWeight = std::function<std::shared_ptr<weights::Weight>(const std::string& slot)>;

/// What local distillation is given; all of it outlives it.
struct LocalTask {
  const models::Network& teacher;
  models::Network& student;  ///< after the fit
  PlainWeight plain;
  const std::vector<Slice>& slices;
  const Samples& samples;
  const TrainingOptions& how;
  const parallel::Communicator& world;
  const parallel::Teams& teams;  ///< that train slices; those that hold the networks, or any teams
                                 ///< where every rank holds them
  const run::RunControl& control;
  std::uint64_t original = 0;  ///< checksum of the teacher, where states are kept
  std::uint64_t of_deck = 0;   ///< fingerprint_of_slices
  /// In how many waves the borders of slices fit, which are dealt to teams in one.
  std::function<int(const TeamSchedule&)> waves = {};
};

/// What a trained slice depends on: what the fit does, and how it is trained.
std::uint64_t fingerprint_of_slices(run::Fingerprint of_fit, const TrainingOptions& how);

/// One slice of `network` is that of `student` while it lives.
class SwappedSlice {
 public:
  SwappedSlice(models::Network& network, const models::Network& student, const Slice& slice);
  SwappedSlice(const SwappedSlice&) = delete;
  SwappedSlice& operator=(const SwappedSlice&) = delete;
  ~SwappedSlice();

 private:
  models::TemporaryWeights weights_;
  /// What is trained beside the weights, and the values it had.
  std::vector<std::pair<torch::Tensor, torch::Tensor>> originals_;
};

/// Trains every slice of which a weight is replaced; the others are not in the report. The student
/// has the trained weights on all ranks in the end. Slices that an earlier run has finished are
/// taken from the restart folder. Collective over the world. Throws on all ranks: Stopped, with all
/// finished slices kept; InputError (samples).
LocalReport train_slices(const LocalTask& task);

/// Throws NumericalError, naming them, where slices diverged and that is to end the run. On all
/// ranks of the world.
void require_convergence(const LocalReport& report, const TrainingOptions& how,
                         const parallel::Communicator& world);

}  // namespace rankine::distill
