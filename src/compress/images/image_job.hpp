// What a deck of rankine-compress asks for an image network, before it is loaded.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compress/job/options.hpp"
#include "compress/kernels/kernel_form.hpp"
#include "models/evaluation/image_forecast.hpp"
#include "models/image/image_checkpoint.hpp"
#include "models/image/image_data.hpp"
#include "run/machine.hpp"

namespace rankine::compress {

struct ImageJob {
  CompressOptions options;
  models::ImageModel model;
  models::ImageData data;
  std::vector<Kernel> kernels;         ///< selected ones that the form is for
  std::vector<std::string> left = {};  ///< selected ones that stay as they are: grouped

  bool is_trained_from_scratch() const { return model.path.empty(); }
  bool is_cut_study() const { return !options.sensitivity.cuts.empty(); }
  bool replaces_kernels() const {
    return options.method.form != weights::Form::dense && !kernels.empty() && !is_cut_study();
  }
  /// Of the selected kernels, dense.
  std::int64_t kernel_parameters() const;
};

/// Without MPI: reads images, the header of the checkpoint, files of layers; checks ranks and
/// ratio. Throws InputError.
ImageJob prepare_image_job(const CompressOptions& options);

/// What is compressed and how, in one line.
std::string method_line(const ImageJob& job);

/// What the run would find in export.directory, in words. Throws InputError or ResourceError if a
/// folder that the deck names could not be written to.
std::vector<std::string> look_into_folders(const ImageJob& job);

/// As for an evaluation, with optimiser, moments and calibration images.
models::ImageMemoryPlan plan_memory(const ImageJob& job, const run::Machine& machine);

}  // namespace rankine::compress
