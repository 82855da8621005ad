// Reads NumPy's .npy files: token ids, images, labels and reference values.
#pragma once

#include <cstdint>
#include <filesystem>
#include <variant>
#include <vector>

namespace rankine::files {

struct NpyArray {
  std::vector<std::int64_t> shape;
  /// Row-major (in C order), whatever the order in the file: bytes for files of uint8, integers for
  /// files of other integers or booleans, float for files of floating-point numbers (float64 is
  /// rounded).
  std::variant<std::vector<std::uint8_t>, std::vector<std::int64_t>, std::vector<float>> values;
};

/// Reads versions 1 to 3 of the format: either byte order, C or Fortran order, types b1 i1 u1 i2 u2
/// i4 u4 i8 u8 f2 f4 f8. Throws InputError, naming the file, for anything else, for a file of the
/// wrong length and for a u8 beyond 2^63 - 1.
NpyArray read_npy(const std::filesystem::path& path);

/// Of the first bytes alone. Throws InputError likewise.
std::vector<std::int64_t> read_npy_shape(const std::filesystem::path& path);

struct NpyIntegers {
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> values;
};

/// As read_npy, all integers alike; InputError if the file holds floating-point numbers.
NpyIntegers read_npy_integers(const std::filesystem::path& path);

}  // namespace rankine::files
