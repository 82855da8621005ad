// What the experiments with clustered weights leave behind: datasets, and a table for people.
#pragma once

#include <string>
#include <vector>

#include "compress/job/compression_result.hpp"
#include "files/hdf5/result_file.hpp"

namespace rankine::compress {

/// Sets /results/experiments, one entry for each point, where there are any.
void write_experiments(files::ResultFile& file, const std::vector<ExperimentPoint>& points);

/// A line for each experiment, number of values and number of layers: perplexities of all seeds.
std::string experiments_table(const std::vector<ExperimentPoint>& points);

}  // namespace rankine::compress
