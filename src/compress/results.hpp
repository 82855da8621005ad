// What rankine-compress leaves behind: the datasets of its result file, and a table for people.
#pragma once

#include <string>

#include "compress/compression.hpp"
#include "files/hdf5/result_file.hpp"

namespace rankine::compress {

/// Of the result file of rankine-compress.
inline constexpr std::int64_t result_format_version = 1;

/// What is compressed and how, in one line.
std::string method_line(const CompressionJob& job);

/// Sets /results and /timing with what is known so far.
void write_results(files::ResultFile& file, const CompressionJob& job,
                   const CompressionResult& result);

/// A line for each weight and the sums, for the terminal.
std::string results_table(const CompressionJob& job, const CompressionResult& result);

}  // namespace rankine::compress
