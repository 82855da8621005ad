// What rankine-compress leaves behind of an image network: datasets and a table.
#pragma once

#include <string>

#include "compress/images/image_job.hpp"
#include "compress/images/image_result.hpp"
#include "files/hdf5/result_file.hpp"

namespace rankine::compress {

/// Sets /results and /timing with what is known so far.
void write_results(files::ResultFile& file, const ImageJob& job, const ImageResult& result);

/// A line for each kernel and the scores, for the terminal.
std::string results_table(const ImageJob& job, const ImageResult& result);

}  // namespace rankine::compress
