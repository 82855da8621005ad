// How well a network does on its test data, whatever its family.
#pragma once

#include <string>
#include <vector>

namespace rankine::models {

/// A figure that networks are compared by: perplexity, accuracy, rate of missed defects.
struct Metric {
  std::string name;     ///< in result files
  std::string meaning;  ///< in a sentence
  double value = 0;
};

struct Score {
  double loss = 0;                       ///< mean over all predictions, nat; may be infinite
  std::vector<Metric> metrics = {};      ///< the one that people look at first comes first
  std::vector<double> part_losses = {};  ///< mean of each part of the test data: of each window
  double seconds = 0;                    ///< to score them all

  const Metric& headline() const { return metrics.front(); }
};

}  // namespace rankine::models
