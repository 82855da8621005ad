// Reads back what ResultFile wrote: for restarts and tests.
#pragma once

#include <complex>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "files/hdf5/result_content.hpp"

namespace rankine::files {

// All of them throw InputError if the file is missing, truncated or not HDF5, or holds no such
// object, or one of another type. Integers may be read as doubles.

Array<double> read_doubles(const std::filesystem::path& file, const std::string& dataset);
Array<std::int64_t> read_integers(const std::filesystem::path& file, const std::string& dataset);
Array<std::complex<double>> read_complex_numbers(const std::filesystem::path& file,
                                                 const std::string& dataset);
Array<std::string> read_texts(const std::filesystem::path& file, const std::string& dataset);

/// A scalar text dataset.
std::string read_text(const std::filesystem::path& file, const std::string& dataset);

/// The attribute `name` of the group or dataset `object` ("/" for the root attributes).
Attribute read_attribute(const std::filesystem::path& file, const std::string& object,
                         const std::string& name);

}  // namespace rankine::files
