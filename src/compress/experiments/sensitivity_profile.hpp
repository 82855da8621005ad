// What a sensitivity profile has found, and its datasets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "files/hdf5/result_file.hpp"
#include "models/score.hpp"

namespace rankine::compress {

/// Tables are groups x bond dimensions, row by row.
struct SensitivityProfile {
  std::vector<std::string> groups;
  std::vector<std::string> grouped_by;  ///< of each group: "layer", "kind" or "weight"
  std::vector<std::int64_t> bond_dimensions;
  std::vector<std::int64_t> parameters_before;  ///< of each group: numbers in the original
  std::vector<std::int64_t> parameters;         ///< numbers in the form; 0 where not done

  /// The values of one metric; NaN where not done.
  struct Metric {
    std::string name;
    std::string meaning;
    std::vector<double> values;
  };
  std::vector<Metric> metrics;  ///< none before the first point

  void put(std::size_t place, const models::Score& score);
};

/// Sets /results/sensitivity.
void write_profile(files::ResultFile& file, const SensitivityProfile& profile);

/// A line for each group, for the terminal.
std::string profile_table(const SensitivityProfile& profile);

}  // namespace rankine::compress
