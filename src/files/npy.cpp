#include "files/npy.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include "core/errors.hpp"
#include "core/input_file.hpp"
#include "core/text_format.hpp"
#include "files/json_document.hpp"
#include "files/short_floats.hpp"

namespace rankine::files {

namespace {

using Path = std::filesystem::path;

[[noreturn]] void refuse(const Path& path, const std::string& reason) {
  throw InputError(
      fmt::format("Cannot use '{}' ({}). Save an array of integers or floating-point numbers with "
                  "numpy.save.",
                  path.string(), reason));
}

struct Header {
  std::string type;  ///< such as "<u2"
  bool is_swapped;   ///< bytes of a value in the other order than here
  bool is_fortran;   ///< the first index runs fastest
  std::vector<std::int64_t> shape;
  std::size_t data_begin;
};

/// The Python dictionary that describes the array, and where it ends.
std::pair<std::string, std::size_t> find_description(const std::string& bytes, const Path& path) {
  constexpr std::string_view magic = "\x93NUMPY";
  if (bytes.size() < 12 || !bytes.starts_with(magic)) refuse(path, "it is not a .npy file");
  const int version = bytes[6];
  if (version < 1 || version > 3) refuse(path, fmt::format("its version {} is unknown", version));
  std::uint32_t length = 0;
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  std::memcpy(&length, bytes.data() + 8, length_bytes);
  const std::size_t begin = 8 + length_bytes;
  if (length > bytes.size() - begin) refuse(path, "it ends within its header");
  return {bytes.substr(begin, length), begin + length};
}

/// What follows 'key': in the description, without spaces.
std::string_view find_entry(std::string_view description, std::string_view key, const Path& path) {
  const auto place = description.find(key);
  if (place == description.npos) {
    refuse(path, fmt::format("its header is '{}'", description));
  }
  const auto entry = description.find_first_not_of(' ', place + key.size());
  return description.substr(std::min(entry, description.size()));
}

/// The text between the first two places of `marks`, which `entry` begins with.
std::string_view between(std::string_view entry, std::string_view marks, const Path& path) {
  const auto end = entry.find(marks[1], 1);
  if (!entry.starts_with(marks[0]) || end == entry.npos) {
    refuse(path, fmt::format("its header holds '{}'", entry));
  }
  return entry.substr(1, end - 1);
}

/// "2, 3" and "2," are lists of lengths; so is "".
std::vector<std::int64_t> read_shape(std::string_view text, const Path& path) {
  std::vector<std::int64_t> shape;
  while (!text.empty()) {
    std::int64_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (error == std::errc::result_out_of_range) refuse(path, "its shape is too large");
    if (error != std::errc() || length < 0) {
      refuse(path, fmt::format("its shape holds '{}'", text));
    }
    shape.push_back(length);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    text.remove_prefix(std::min(text.find_first_not_of(", "), text.size()));
  }
  return shape;
}

/// "True" or "False".
bool read_truth(std::string_view entry, const Path& path) {
  const bool is_true = entry.starts_with("True");
  if (!is_true && !entry.starts_with("False"))
    refuse(path, fmt::format("its header holds '{}'", entry));
  return is_true;
}

/// "<u2": little-endian; ">u2": big-endian; "|u1": of one byte.
bool is_swapped(std::string_view type, const Path& path) {
  static_assert(std::endian::native == std::endian::little);
  const bool is_byte = type.starts_with('|') && type.ends_with('1');
  if (!is_byte && !type.starts_with('<') && !type.starts_with('>'))
    refuse(path, fmt::format("its type is '{}'", type));
  return type.front() == '>';
}

Header read_header(const std::string& bytes, const Path& path) {
  const auto [description, data_begin] = find_description(bytes, path);
  const auto type = between(find_entry(description, "'descr':", path), "''", path);
  const auto shape = between(find_entry(description, "'shape':", path), "()", path);
  return {.type = std::string(type),
          .is_swapped = is_swapped(type, path),
          .is_fortran = read_truth(find_entry(description, "'fortran_order':", path), path),
          .shape = read_shape(shape, path),
          .data_begin = data_begin};
}

/// Number of values. The file ends with the last of them, each of `size` bytes.
std::size_t check_length(const Header& header, std::size_t size, std::size_t file_bytes,
                         const Path& path) {
  std::size_t count = 1;
  std::size_t bytes = 0;
  bool too_large = false;
  for (const std::int64_t length : header.shape) {
    too_large |= __builtin_mul_overflow(count, static_cast<std::size_t>(length), &count);
  }
  too_large |= __builtin_mul_overflow(count, size, &bytes);
  if (too_large || bytes != file_bytes - header.data_begin) {
    refuse(path,
           fmt::format("it has {} of values, and its shape another number of them",
                       counted(static_cast<std::int64_t>(file_bytes - header.data_begin), "byte")));
  }
  return count;
}

template <class Stored>
Stored load(const char* from, bool is_swapped) {
  std::array<char, sizeof(Stored)> bytes;
  std::memcpy(bytes.data(), from, sizeof(Stored));
  if (is_swapped) std::reverse(bytes.begin(), bytes.end());
  return std::bit_cast<Stored>(bytes);
}

/// Values whose first index runs fastest, in the order in which the last one does.
template <class Value>
std::vector<Value> in_c_order(const std::vector<Value>& values,
                              const std::vector<std::int64_t>& shape) {
  std::vector<std::size_t> strides, index(shape.size(), 0);
  for (std::size_t axis = 0, stride = 1; axis < shape.size(); ++axis) {
    strides.push_back(stride);
    stride *= static_cast<std::size_t>(shape[axis]);
  }
  std::vector<Value> ordered;
  ordered.reserve(values.size());
  for (std::size_t place = 0; ordered.size() < values.size();) {
    ordered.push_back(values[place]);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      place += strides[axis];
      if (++index[axis] < static_cast<std::size_t>(shape[axis])) break;
      place -= strides[axis] * index[axis];
      index[axis] = 0;
    }
  }
  return ordered;
}

template <class Stored, class Value, class Convert>
std::vector<Value> convert_values(const std::string& bytes, const Header& header, const Path& path,
                                  Convert&& convert) {
  std::vector<Value> values(check_length(header, sizeof(Stored), bytes.size(), path));
  const char* from = bytes.data() + header.data_begin;
  for (Value& value : values) {
    value = convert(load<Stored>(from, header.is_swapped));
    from += sizeof(Stored);
  }
  if (header.is_fortran) values = in_c_order(values, header.shape);
  return values;
}

template <class Stored>
std::vector<std::int64_t> integers(const std::string& bytes, const Header& header,
                                   const Path& path) {
  return convert_values<Stored, std::int64_t>(bytes, header, path, [&](Stored stored) {
    if constexpr (std::is_same_v<Stored, std::uint64_t>) {
      if (stored > std::numeric_limits<std::int64_t>::max()) {
        refuse(path, fmt::format("it holds {}, beyond 2^63 - 1", stored));
      }
    }
    return static_cast<std::int64_t>(stored);
  });
}

NpyArray read_values(const std::string& bytes, const Header& header, const Path& path) {
  const auto type = std::string_view(header.type).substr(1);
  const auto array = [&](auto values) { return NpyArray{header.shape, std::move(values)}; };
  const auto same = [](auto stored) { return stored; };
  const auto rounded = [](double stored) { return static_cast<float>(stored); };
  if (type == "u1")
    return array(convert_values<std::uint8_t, std::uint8_t>(bytes, header, path, same));
  if (type == "b1") return array(integers<std::uint8_t>(bytes, header, path));
  if (type == "i1") return array(integers<std::int8_t>(bytes, header, path));
  if (type == "i2") return array(integers<std::int16_t>(bytes, header, path));
  if (type == "u2") return array(integers<std::uint16_t>(bytes, header, path));
  if (type == "i4") return array(integers<std::int32_t>(bytes, header, path));
  if (type == "u4") return array(integers<std::uint32_t>(bytes, header, path));
  if (type == "i8") return array(integers<std::int64_t>(bytes, header, path));
  if (type == "u8") return array(integers<std::uint64_t>(bytes, header, path));
  if (type == "f2")
    return array(convert_values<std::uint16_t, float>(bytes, header, path, float_from_float16));
  if (type == "f4") return array(convert_values<float, float>(bytes, header, path, same));
  if (type == "f8") return array(convert_values<double, float>(bytes, header, path, rounded));
  refuse(path, fmt::format("its type is '{}'", header.type));
}

}  // namespace

NpyArray read_npy(const Path& path) {
  const std::string bytes = read_text(path);
  return read_values(bytes, read_header(bytes, path), path);
}

std::vector<std::int64_t> read_npy_shape(const Path& path) {
  constexpr std::uint64_t longest_header = 65536;
  return read_header(read_input_start(path, longest_header).bytes, path).shape;
}

NpyIntegers read_npy_integers(const Path& path) {
  NpyArray array = read_npy(path);
  if (const auto* bytes = std::get_if<std::vector<std::uint8_t>>(&array.values))
    return {std::move(array.shape), {bytes->begin(), bytes->end()}};
  if (auto* values = std::get_if<std::vector<std::int64_t>>(&array.values))
    return {std::move(array.shape), std::move(*values)};
  throw InputError(
      fmt::format("Cannot use '{}' (it holds floating-point numbers). Give an array of "
                  "integers.",
                  path.string()));
}

}  // namespace rankine::files
