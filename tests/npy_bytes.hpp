// Composes the bytes of .npy files as NumPy's description of the format has them, without the
// library.
#pragma once

#include <string>
#include <vector>

namespace rankine {

/// Version 1.0 with this dictionary and these values.
inline std::string npy_of(const std::string& dictionary, const std::string& values) {
  const std::string header = dictionary + "\n";
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header +
         values;
}

inline std::string npy_dictionary(const std::string& type, const std::string& shape,
                                  const std::string& fortran_order = "False") {
  return "{'descr': '" + type + "', 'fortran_order': " + fortran_order + ", 'shape': " + shape +
         ", }";
}

/// Numbers as they lie in memory.
template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace rankine
