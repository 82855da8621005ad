// What a study of adapters with noisy blocks has found, and its datasets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "files/hdf5/result_file.hpp"
#include "models/score.hpp"

namespace rankine::compress {

/// Tables are error rates x shots, row by row.
struct NoiseMap {
  std::int64_t qubits = 0;  ///< of a block
  std::int64_t gates = 0;   ///< on two qubits, of a block
  std::vector<double> error_rates = {};
  std::vector<double> shots = {};       ///< the last of them infinitely many
  std::vector<double> contrast = {};    ///< of each error rate: what is left of rotated amplitudes
  std::vector<double> deviation = {};   ///< how amplitudes scatter, in units of the norm of a block
  std::vector<double> perplexity = {};  ///< NaN where not done

  /// Perplexities of the model without the adapter and with exact blocks, where scores are taken.
  std::optional<double> unadapted = {};
  std::optional<double> exact = {};
};

/// Sets /results/noise.
void write_noise_map(files::ResultFile& file, const NoiseMap& map);

/// A line for each error rate, for the terminal.
std::string noise_table(const NoiseMap& map);

}  // namespace rankine::compress
