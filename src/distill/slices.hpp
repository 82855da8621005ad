// How a network is cut into slices: runs of its stages (models/network.hpp), so that no border
// stands inside a residual block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "distill/options.hpp"

namespace rankine::distill {

/// What the cutting needs to know of a stage.
struct StageLayout {
  std::string module;                     ///< its name in the checkpoint: "layer1.0"
  bool is_block = false;                  ///< a residual block or a layer of a transformer
  std::vector<std::string> inner = {};    ///< names of the layers in it
  std::vector<std::string> weights = {};  ///< of those that are replaced
  double cost = 0;                        ///< multiplications and additions for a sample
  double parameters = 0;                  ///< numbers of its matrices and kernels, dense
  double inputs = 0, outputs = 0;         ///< numbers of a sample before and behind it
  double kept = 0;                        ///< numbers of a sample that a backward pass needs
};

/// Stages `first_stage` to before `end_stage`.
struct Slice {
  std::string name;  ///< "layer1.0", or "layer1.0-layer1.2" of several stages
  std::size_t first_stage, end_stage;
  std::vector<std::string> weights;  ///< that are replaced, in the order of the network
  double cost;
};

/// In the order of the network; none if no weight is replaced. Throws InputError where slices.list
/// or slices.count asks for what is not there.
std::vector<Slice> plan_slices(const std::vector<StageLayout>& stages, const SliceOptions& options);

/// The same for training, where the mode asks for it, on so many samples. Throws InputError also
/// where there is no slice, not one learning rate for each, or no sample to hold out.
std::vector<Slice> slices_for(const std::vector<StageLayout>& stages, const DistillOptions& options,
                              std::int64_t samples);

}  // namespace rankine::distill
