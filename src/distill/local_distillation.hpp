// Local distillation: the slices of a student, each trained against the features of the teacher,
// side by side on teams of ranks that exchange nothing meanwhile.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "distill/options.hpp"
#include "distill/samples.hpp"
#include "distill/slice_report.hpp"
#include "distill/slices.hpp"
#include "models/network.hpp"
#include "parallel/communicator.hpp"
#include "parallel/teams.hpp"
#include "run/run_control.hpp"

namespace rankine::distill {

/// Weights by the names of their slots.
using NamedWeights = std::map<std::string, std::shared_ptr<weights::Weight>>;

/// What local distillation is given; all of it outlives it.
struct LocalTask {
  const models::Network& teacher;
  models::Network& student;   ///< after the fit
  const NamedWeights& plain;  ///< plain decompositions of replaced weights, where they are known
  const std::vector<Slice>& slices;
  const Samples& samples;
  const TrainingOptions& how;
  const parallel::Communicator& world;
  const parallel::Teams& teams;  ///< that train slices; of one rank or those that hold the networks
  const run::RunControl& control;
  std::uint64_t original = 0;  ///< checksum of the teacher, where states are kept
  std::uint64_t of_deck = 0;   ///< fingerprint of what the fit and the samples depend on
  int waves = 1;
};

/// Trains every slice; the student has the trained weights on all ranks in the end. Slices that an
/// earlier run has finished are taken from the restart folder. Collective over the world. Throws on
/// all ranks: Stopped, with all finished slices kept; InputError (learning rates, samples).
LocalReport train_slices(const LocalTask& task);

}  // namespace rankine::distill
