// What a run computed on, as a part of its result file: the lattice and the gates, so that the file
// alone says how to compute it again.
#pragma once

#include "files/hdf5/result_file.hpp"
#include "gpeps/simulation.hpp"

namespace rankine::gpeps {

/// Sets /inputs (docs/file_formats.md).
void write_inputs(files::ResultFile& file, const Job& job);

}  // namespace rankine::gpeps
