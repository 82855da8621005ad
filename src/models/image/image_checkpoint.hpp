// From the deck's [model] to the plan of an image network, and what its checkpoint must hold.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "files/safetensors/safetensors.hpp"
#include "models/image/model_options.hpp"
#include "models/image/network_plan.hpp"

namespace rankine::models {

inline constexpr const char* network_file_name = "network.json";

/// An image network that is going to be read, or drawn at random where there is no checkpoint.
struct ImageModel {
  NetworkPlan plan;
  std::string path;         ///< of the checkpoint; empty for none
  std::string prefix = {};  ///< of all its tensors: "module." or nothing
};

/// Without MPI: reads the header of the checkpoint and files that describe layers. Throws
/// InputError for an architecture that does not exist, a checkpoint that is not of it, and images
/// or labels that do not fit.
ImageModel prepare_image_model(const ModelOptions& options, const SeenImages& seen);

/// Throws an InputError that names every tensor which is missing, of another shape or without a
/// place in the plan. Kernels may be stored in other forms: then each needs a tensor of its name.
void check_image_tensors(const NetworkPlan& plan, const std::string& prefix,
                         const std::vector<files::TensorEntry>& entries, const std::string& file);

/// The shape of a layer's kernel in checkpoints.
std::vector<std::int64_t> kernel_shape(const LayerPlan& layer);

}  // namespace rankine::models
