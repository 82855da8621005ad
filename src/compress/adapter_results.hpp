// What an adapter leaves behind: datasets, and lines for people.
#pragma once

#include <optional>
#include <string>

#include "compress/job/compression_job.hpp"
#include "compress/job/compression_result.hpp"
#include "files/hdf5/result_file.hpp"

namespace rankine::compress {

/// Sets /results/adapter, where there is one.
void write_adapter_results(files::ResultFile& file, const CompressionJob& job,
                           const CompressionResult& result);

/// What the adapter is and what it brought back; empty without one.
std::string adapter_text(const CompressionJob& job, const CompressionResult& result);

}  // namespace rankine::compress
