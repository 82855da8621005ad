// Turns results into the bytes of an HDF5 file. Private to the room files.
#pragma once

#include <cstddef>
#include <vector>

#include "files/hdf5/result_content.hpp"

namespace rankine::files {

/// The bytes a file on disk would have. HDF5 works in memory here, so that all that can go wrong
/// with the disk is met by output_file.hpp, and no lock of HDF5's is asked from the file system.
/// Throws LibraryError.
std::vector<std::byte> hdf5_image(const ResultContent& content);

}  // namespace rankine::files
