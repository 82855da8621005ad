// Numbers of safetensors files: decoded exactly, encoded to the nearest, ties to even.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "files/data_type.hpp"

namespace rankine::files {
namespace {

/// A 16-bit format by its definition: `fraction_bits` below the exponent, which is biased.
struct Format {
  DataType type;
  int fraction_bits;
  int bias;

  int all_exponents() const { return (1 << (15 - fraction_bits)) - 1; }

  /// The number that finite `bits` stand for.
  double value(unsigned bits) const {
    const int exponent = static_cast<int>(bits >> fraction_bits) & all_exponents();
    const double fraction = bits & ((1u << fraction_bits) - 1);
    const double unit = std::ldexp(1.0, std::max(exponent, 1) - bias - fraction_bits);
    const double implicit = exponent == 0 ? 0 : std::ldexp(1.0, fraction_bits);
    return (bits & 0x8000u ? -1 : 1) * (fraction + implicit) * unit;
  }
  unsigned infinity() const { return static_cast<unsigned>(all_exponents()) << fraction_bits; }
};

constexpr Format formats[] = {{DataType::float16, 10, 15}, {DataType::bfloat16, 7, 127}};

float decode_bits(const Format& format, unsigned bits) {
  const auto stored = static_cast<std::uint16_t>(bits);
  float value = 0;
  decode(format.type, std::as_bytes(std::span(&stored, 1)), std::span(&value, 1));
  return value;
}

unsigned encode_value(const Format& format, float value) {
  std::uint16_t stored = 0;
  encode(format.type, std::span(&value, 1), std::as_writable_bytes(std::span(&stored, 1)));
  return stored;
}

TEST(ShortFloats, EveryPatternIsDecodedExactlyAndComesBack) {
  for (const Format& format : formats) {
    for (unsigned bits = 0; bits <= 0xffffu; ++bits) {
      const float value = decode_bits(format, bits);
      if ((bits & 0x7fffu) > format.infinity()) {
        ASSERT_TRUE(std::isnan(value)) << bits;
        ASSERT_GT(encode_value(format, value) & 0x7fffu, format.infinity()) << bits;
        continue;
      }
      if ((bits & 0x7fffu) == format.infinity()) {
        ASSERT_TRUE(std::isinf(value)) << bits;
      } else {
        ASSERT_EQ(double{value}, format.value(bits)) << bits;
      }
      ASSERT_EQ(std::signbit(value), (bits & 0x8000u) != 0) << bits;
      ASSERT_EQ(encode_value(format, value), bits);
    }
  }
}

TEST(ShortFloats, BetweenTwoNumbersTheNearerOneIsTakenAndTheEvenOneInTheMiddle) {
  for (const Format& format : formats) {
    for (unsigned lower = 0; lower + 1 < format.infinity(); ++lower) {
      const double exact_middle = (format.value(lower) + format.value(lower + 1)) / 2;
      const auto middle = static_cast<float>(exact_middle);
      ASSERT_EQ(double{middle}, exact_middle);
      for (const unsigned sign : {0u, 0x8000u}) {
        const float signed_middle = sign != 0 ? -middle : middle;
        const unsigned even = lower % 2 == 0 ? lower : lower + 1;
        ASSERT_EQ(encode_value(format, signed_middle), even | sign) << lower;
        const float inwards = std::nextafter(signed_middle, 0.0f);
        ASSERT_EQ(encode_value(format, inwards), lower | sign) << lower;
        const float outwards = std::nextafter(signed_middle, signed_middle * 4);
        if (signed_middle * 4 != signed_middle) {
          ASSERT_EQ(encode_value(format, outwards), (lower + 1) | sign) << lower;
        }
      }
    }
  }
}

TEST(ShortFloats, WhatIsTooLargeBecomesInfinite) {
  const Format& half = formats[0];
  EXPECT_EQ(encode_value(half, std::nextafter(65520.0f, 0.0f)), 0x7bffu);
  EXPECT_EQ(encode_value(half, 65520.0f), 0x7c00u);
  EXPECT_EQ(encode_value(half, -1e30f), 0xfc00u);
  EXPECT_EQ(encode_value(formats[1], std::numeric_limits<float>::max()), 0x7f80u);
}

template <class Stored>
std::vector<double> decoded(DataType type, const std::vector<Stored>& stored) {
  std::vector<double> values(stored.size());
  decode(type, std::as_bytes(std::span(stored)), values);
  return values;
}

TEST(DataType, IntegersAndBooleansAreDecoded) {
  using Values = std::vector<double>;
  EXPECT_EQ(decoded<std::int64_t>(DataType::int64, {-(1ll << 53), 7}), (Values{-0x1p53, 7}));
  EXPECT_EQ(decoded<std::int32_t>(DataType::int32, {-2147483647, 5}), (Values{-2147483647.0, 5}));
  EXPECT_EQ(decoded<std::int16_t>(DataType::int16, {-32768, 3}), (Values{-32768, 3}));
  EXPECT_EQ(decoded<std::int8_t>(DataType::int8, {-128, 127}), (Values{-128, 127}));
  EXPECT_EQ(decoded<std::uint8_t>(DataType::uint8, {0, 255}), (Values{0, 255}));
  EXPECT_EQ(decoded<std::uint8_t>(DataType::boolean, {0, 1, 2}), (Values{0, 1, 1}));
}

TEST(DataType, IntegersAreEncodedExactly) {
  const std::vector<float> bytes = {0, 1, 255}, words = {-16777216, 0, 16777215};
  std::vector<std::uint8_t> small(3);
  encode(DataType::uint8, bytes, std::as_writable_bytes(std::span(small)));
  EXPECT_EQ(small, (std::vector<std::uint8_t>{0, 1, 255}));
  std::vector<std::int32_t> large(3);
  encode(DataType::int32, words, std::as_writable_bytes(std::span(large)));
  EXPECT_EQ(large, (std::vector<std::int32_t>{-16777216, 0, 16777215}));
  EXPECT_TRUE(can_encode(DataType::uint8) && can_encode(DataType::bfloat16));
  EXPECT_FALSE(can_encode(DataType::int8) || can_encode(DataType::boolean));
}

TEST(DataType, Float64KeepsEveryDigitAsDoubleAndRoundsAsFloat) {
  const std::vector<double> stored = {1.0 + 0x1p-52, 1.0 + 0x1p-24, 1.0 + 0x1.8p-23};
  EXPECT_EQ(decoded(DataType::float64, stored), stored);
  std::vector<float> values(3);
  decode(DataType::float64, std::as_bytes(std::span(stored)), values);
  EXPECT_EQ(values, (std::vector<float>{1.0f, 1.0f, 1.0f + 0x1p-22f}));
}

TEST(DataType, NamesAreThoseOfTheFormat) {
  EXPECT_EQ(name_of(DataType::bfloat16), "BF16");
  EXPECT_EQ(data_type_named("F16"), DataType::float16);
  EXPECT_EQ(data_type_named("F8_E4M3"), std::nullopt);
  EXPECT_EQ(size_of(DataType::boolean), 1u);
}

}  // namespace
}  // namespace rankine::files
