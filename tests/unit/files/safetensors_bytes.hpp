// Composes the bytes of safetensors files, right and wrong ones, without the library.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

/// `length` stands first in the file, whether or not it is that of `header`.
inline std::string safetensors_bytes(std::uint64_t length, const std::string& header,
                                     const std::string& values) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(length >> (8 * i) & 0xff));
  return bytes + header + values;
}

inline std::string safetensors_bytes(const std::string& header, const std::string& values) {
  return safetensors_bytes(header.size(), header, values);
}

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}
