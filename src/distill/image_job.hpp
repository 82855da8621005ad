// What a deck of rankine-distill asks for an image network, before it is loaded.
#pragma once

#include <string>
#include <vector>

#include "compress/images/image_job.hpp"
#include "deck/difference.hpp"
#include "distill/memory.hpp"
#include "distill/options.hpp"
#include "distill/slices.hpp"

namespace rankine::distill {

struct ImageDistillJob {
  DistillOptions options;
  compress::ImageJob compression;  ///< to the fit, without training
  std::vector<StageLayout> stages;
  std::vector<Slice> slices;
  int teams = 0;         ///< 0 until `use_ranks`
  DistillMemory memory;  ///< as planned

  /// Samples that slices are trained on, the held-out ones included.
  std::int64_t samples() const { return compression.data.training.size(); }
};

/// Without MPI: what compress::prepare_image_job does, and cuts the network into slices. Throws
/// InputError.
ImageDistillJob prepare_image_distillation(const DistillOptions& options);

/// Those of an image network are read where a job is prepared.
inline void require_weights(const ImageDistillJob&) {}

/// Settles how many teams there are on so many ranks.
void use_ranks(ImageDistillJob& job, int ranks);

std::string summary(const ImageDistillJob& job);
/// What is done and how, in one line.
std::string method_line(const ImageDistillJob& job);
std::vector<std::string> look_into_folders(const ImageDistillJob& job,
                                           const deck::DeckValues& values);

/// After `use_ranks`. Throws ResourceError where not even one slice of a team fits at a time.
DistillMemory plan_memory(const ImageDistillJob& job, const run::Machine& machine);

}  // namespace rankine::distill
