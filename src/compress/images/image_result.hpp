// What the compression of an image network has to tell.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/evaluation/image_evaluation.hpp"
#include "weights/forms/form.hpp"
#include "weights/making/kernel_cut.hpp"

namespace rankine::compress {

struct KernelReport {
  std::string name;
  std::vector<std::int64_t> shape;  ///< outputs, inputs, height, width
  weights::Form form = weights::Form::dense;
  std::vector<std::int64_t> ranks = {};  ///< empty for a kernel that stays as it is
  std::int64_t numbers = 0;
  double weighted_error = 0;  ///< relative, in the norm of method.weighting
  double norm_loss = 0;       ///< 1 - ||K'|| / ||K||
};

/// A point of the study of cuts.
struct CutPoint {
  weights::KernelCut cut;
  double fraction = 0;
  std::string layer = {};  ///< empty for all kernels together
  std::int64_t rank = 0;   ///< of the one layer
  double norm_loss = 0;    ///< mean over the kernels
  double accuracy = 0;
  double loss = 0;  ///< mean cross entropy, nat
};

/// After so many epochs of training.
struct EpochScore {
  std::int64_t epochs;
  double accuracy;
};

struct ImageTimes {
  double load = 0, moments = 0, gradients = 0, fit = 0, statistics = 0, training = 0, study = 0;
};

/// The same on all ranks.
struct ImageResult {
  std::optional<models::ImageScores> before;        ///< as it was read
  std::optional<models::ImageScores> compressed;    ///< with the statistics of batch norms it had
  std::optional<models::ImageScores> re_estimated;  ///< with those of the compressed network
  std::optional<models::ImageScores> after;         ///< in the end
  std::vector<KernelReport> kernels = {};
  std::int64_t parameters_before = 0;  ///< of the whole network
  std::int64_t parameters_after = 0;
  std::vector<double> training_losses = {};  ///< of each step, nat
  std::vector<EpochScore> epochs = {};
  std::vector<CutPoint> cuts = {};
  ImageTimes seconds;
  std::uint64_t peak_bytes_largest_rank = 0;
};

using SaveImageResult = std::function<void(const ImageResult&)>;

}  // namespace rankine::compress
