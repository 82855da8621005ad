// What a deck of rankine-compress asks for, before a model is loaded.
#pragma once

#include <cstdint>
#include <vector>

#include "compress/job/options.hpp"
#include "compress/job/selection.hpp"
#include "models/evaluation/evaluation.hpp"

namespace rankine::compress {

using TokenWindows = std::vector<std::vector<std::int64_t>>;

struct CompressionJob {
  CompressOptions options;
  models::EvaluationJob scoring;
  std::vector<NamedShape> selected;
  std::vector<NamedShape> adapted;   ///< those that get an adapter
  bool is_outline = false;           ///< config.json is all that there is of the model
  TokenWindows calibration_windows;  ///< for activations
  TokenWindows gradient_windows;     ///< for output gradients
  TokenWindows healing_windows;      ///< the steps of healing go through them in turn
  TokenWindows held_out_windows;     ///< of the same text, for healing to know when to end
  TokenWindows adapter_windows;      ///< the steps of the adapter go through them in turn
  TokenWindows fermi_windows;        ///< the steps of FermiGrad go through them in turn
  /// Fingerprint of what is done with the weights, once they have their forms, before they heal.
  std::uint64_t before_healing = 0;

  /// Of the selected weights, uncompressed.
  std::int64_t selected_parameters() const;
  /// Whether moments of inputs in the original model are needed. Codebooks of layers that are
  /// fitted in order take those in the compressed one.
  bool measures_inputs() const;
};

/// Without MPI: reads config.json, headers and texts; checks selection, ranks and ratio. Of an
/// outline (adapter_plan.hpp) there are neither headers nor texts. Throws InputError.
CompressionJob prepare_compression(const CompressOptions& options);

/// `count` windows of `length` tokens of the calibration text, from calibration.first_window on.
/// Throws InputError: the file, a text with fewer of them.
TokenWindows calibration_windows(const CompressionJob& job, std::int64_t length,
                                 std::int64_t count);

}  // namespace rankine::compress
