// The types of numbers that safetensors files hold, their names there and their sizes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace rankine::files {

enum class DataType {
  float64,
  float32,
  float16,
  bfloat16,
  int64,
  int32,
  int16,
  int8,
  uint8,
  boolean
};

/// Bytes of one value.
std::size_t size_of(DataType type);

/// As in a safetensors header: "F32", "BF16", "BOOL", ...
std::string_view name_of(DataType type);

/// The type with that name in a safetensors header; nothing for names beyond DataType.
std::optional<DataType> data_type_named(std::string_view name);

bool is_floating_point(DataType type);

/// Whether `encode` can make this type: the floating-point types, uint8 and int32.
bool can_encode(DataType type);

/// The values that `bytes` (little-endian, bytes.size() == values.size() * size_of(type)) hold.
/// Numbers that float or double cannot hold are rounded to nearest, ties to even; booleans become 0
/// and 1.
void decode(DataType type, std::span<const std::byte> bytes, std::span<float> values);
void decode(DataType type, std::span<const std::byte> bytes, std::span<double> values);

/// Writes `values` into `bytes` as one of the four floating-point types, rounded to nearest, ties
/// to even; what exceeds the range of float16 or bfloat16 becomes infinite, NaN stays NaN. Or as
/// uint8 or int32, when each value is an integer of that type.
void encode(DataType type, std::span<const float> values, std::span<std::byte> bytes);
/// The same; 16-bit types are rounded by way of float32.
void encode(DataType type, std::span<const double> values, std::span<std::byte> bytes);

}  // namespace rankine::files
