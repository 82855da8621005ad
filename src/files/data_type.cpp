#include "files/data_type.hpp"

#include <array>
#include <bit>
#include <cstring>

#include "core/contracts.hpp"
#include "files/short_floats.hpp"

namespace rankine::files {

// Values are copied between the file and memory as they are.
static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

namespace {

struct TypeFacts {
  DataType type;
  std::string_view name;
  std::size_t bytes;
};

constexpr std::array<TypeFacts, 10> all_types = {{
    {DataType::float64, "F64", 8},
    {DataType::float32, "F32", 4},
    {DataType::float16, "F16", 2},
    {DataType::bfloat16, "BF16", 2},
    {DataType::int64, "I64", 8},
    {DataType::int32, "I32", 4},
    {DataType::int16, "I16", 2},
    {DataType::int8, "I8", 1},
    {DataType::uint8, "U8", 1},
    {DataType::boolean, "BOOL", 1},
}};

const TypeFacts& facts_of(DataType type) { return all_types[static_cast<std::size_t>(type)]; }

template <class Stored, class Value, class Convert>
void decode_each(std::span<const std::byte> bytes, std::span<Value> values, Convert&& convert) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    values[i] = static_cast<Value>(convert(stored));
  }
}

template <class Value>
void decode_values(DataType type, std::span<const std::byte> bytes, std::span<Value> values) {
  RANKINE_EXPECTS(bytes.size() == values.size() * size_of(type), "give the bytes of all values");
  const auto as_it_is = [](auto stored) { return stored; };
  switch (type) {
    case DataType::float64:
      return decode_each<double>(bytes, values, as_it_is);
    case DataType::float32:
      return decode_each<float>(bytes, values, as_it_is);
    case DataType::float16:
      return decode_each<std::uint16_t>(bytes, values, float_from_float16);
    case DataType::bfloat16:
      return decode_each<std::uint16_t>(bytes, values, float_from_bfloat16);
    case DataType::int64:
      return decode_each<std::int64_t>(bytes, values, as_it_is);
    case DataType::int32:
      return decode_each<std::int32_t>(bytes, values, as_it_is);
    case DataType::int16:
      return decode_each<std::int16_t>(bytes, values, as_it_is);
    case DataType::int8:
      return decode_each<std::int8_t>(bytes, values, as_it_is);
    case DataType::uint8:
      return decode_each<std::uint8_t>(bytes, values, as_it_is);
    case DataType::boolean:
      return decode_each<std::uint8_t>(bytes, values, [](auto stored) { return stored != 0; });
  }
}

template <class Stored, class T, class Convert>
void encode_each(std::span<const T> values, std::span<std::byte> bytes, Convert&& convert) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Stored stored = convert(values[i]);
    std::memcpy(bytes.data() + i * sizeof(Stored), &stored, sizeof(Stored));
  }
}

template <class T>
void encode_values(DataType type, std::span<const T> values, std::span<std::byte> bytes) {
  RANKINE_EXPECTS(can_encode(type), "values are written as floating-point numbers, U8, I16 or I32");
  RANKINE_EXPECTS(bytes.size() == values.size() * size_of(type), "give room for all values");
  const auto cast_to = [&]<class Stored>(Stored) {
    encode_each<Stored>(values, bytes, [](T value) { return static_cast<Stored>(value); });
  };
  switch (type) {
    case DataType::float64:
      return cast_to(double{});
    case DataType::float16:
      return encode_each<std::uint16_t>(
          values, bytes, [](T value) { return float16_from_float(static_cast<float>(value)); });
    case DataType::bfloat16:
      return encode_each<std::uint16_t>(
          values, bytes, [](T value) { return bfloat16_from_float(static_cast<float>(value)); });
    case DataType::uint8:
      return cast_to(std::uint8_t{});
    case DataType::int16:
      return cast_to(std::int16_t{});
    case DataType::int32:
      return cast_to(std::int32_t{});
    default:
      return cast_to(float{});
  }
}

}  // namespace

std::size_t size_of(DataType type) { return facts_of(type).bytes; }

std::string_view name_of(DataType type) { return facts_of(type).name; }

std::optional<DataType> data_type_named(std::string_view name) {
  for (const TypeFacts& facts : all_types) {
    if (facts.name == name) return facts.type;
  }
  return std::nullopt;
}

bool is_floating_point(DataType type) {
  return type == DataType::float64 || type == DataType::float32 || type == DataType::float16 ||
         type == DataType::bfloat16;
}

bool can_encode(DataType type) {
  return is_floating_point(type) || type == DataType::uint8 || type == DataType::int16 ||
         type == DataType::int32;
}

void decode(DataType type, std::span<const std::byte> bytes, std::span<float> values) {
  decode_values(type, bytes, values);
}

void decode(DataType type, std::span<const std::byte> bytes, std::span<double> values) {
  decode_values(type, bytes, values);
}

void encode(DataType type, std::span<const float> values, std::span<std::byte> bytes) {
  encode_values(type, values, bytes);
}

void encode(DataType type, std::span<const double> values, std::span<std::byte> bytes) {
  encode_values(type, values, bytes);
}

}  // namespace rankine::files
