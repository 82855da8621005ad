// What a compression gave, for people: bytes, speed, and what the model writes.
#pragma once

#include <string>

#include "compress/job/compression_result.hpp"
#include "files/hdf5/result_file.hpp"

namespace rankine::compress {

struct Workbench;

/// Of the model as it was read: its bytes, speed and sample. Collective over the world.
ModelSummary summary_before(const Workbench& bench);

/// The same of the model as it is now, with the bytes of a checkpoint in each format.
void add_summary_after(const Workbench& bench, ModelSummary& summary);

/// Lines for the terminal, bytes first.
std::string summary_text(const ModelSummary& summary, models::ExportFormat exported);
void write_summary(files::ResultFile& file, const ModelSummary& summary);

}  // namespace rankine::compress
