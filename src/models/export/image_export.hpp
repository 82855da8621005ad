// Image networks as checkpoints for PyTorch, dense or in the forms their kernels have.
#pragma once

#include <filesystem>
#include <string>

#include "models/export/export_format.hpp"
#include "models/image/image_data.hpp"
#include "models/image/image_network.hpp"

namespace rankine::models {

struct ImageExport {
  std::filesystem::path folder;  ///< to be written
  ExportFormat format = ExportFormat::dense;
  std::string method = {};  ///< how the network was compressed, for people
  Normalisation normalisation = {};
};

/// Collective over `world`, every rank of which has the network. The folder gets model.safetensors
/// with PyTorch's names, network.json with the layers, and a Python file that builds the network
/// from both. In other formats than dense, kernels are written as the tensors of their forms. Every
/// file appears under its name when it is complete. Throws InputError or ResourceError on all
/// ranks.
void write_image_network(const ImageNetwork& network, const parallel::Communicator& world,
                         const ImageExport& wanted);

}  // namespace rankine::models
