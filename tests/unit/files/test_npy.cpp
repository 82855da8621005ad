// Arrays as numpy.save writes them; the bytes here follow NumPy's format description.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../npy_bytes.hpp"
#include "core/errors.hpp"
#include "files/npy.hpp"
#include "safetensors_bytes.hpp"
#include "scratch_folder.hpp"

namespace rankine::files {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Npy : public ScratchFolder {
 protected:
  NpyArray read(const std::string& bytes) {
    write_bytes(file_, bytes);
    return read_npy(file_);
  }
  std::vector<std::int64_t> integers(const std::string& type, const std::string& shape,
                                     const std::string& values) {
    write_bytes(file_, npy_of(npy_dictionary(type, shape), values));
    return read_npy_integers(file_).values;
  }
  std::vector<float> floats(const std::string& type, const std::string& shape,
                            const std::string& values) {
    return std::get<std::vector<float>>(read(npy_of(npy_dictionary(type, shape), values)).values);
  }
  std::string refusal(const std::string& bytes) {
    try {
      read(bytes);
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(file_.string()));
      return error.what();
    }
    return "nothing was refused";
  }

  std::filesystem::path file_ = folder_ / "array.npy";
};

TEST_F(Npy, IntegersOfAllSizesAreRead) {
  EXPECT_THAT(integers("<u2", "(2,)", "\x01\x02\xff\xff"), ElementsAre(0x201, 65535));
  EXPECT_THAT(integers("<i2", "(2,)", "\x01\x02\xff\xff"), ElementsAre(0x201, -1));
  EXPECT_THAT(integers("|u1", "(2,)", "\x01\xff"), ElementsAre(1, 255));
  EXPECT_THAT(integers("|i1", "(2,)", "\x01\xff"), ElementsAre(1, -1));
  EXPECT_THAT(integers("<u4", "(1,)", "\xff\xff\xff\xff"), ElementsAre(4294967295));
  EXPECT_THAT(integers("<i4", "(1,)", "\xfe\xff\xff\xff"), ElementsAre(-2));
  EXPECT_THAT(integers("<i8", "(1,)", "\xfd\xff\xff\xff\xff\xff\xff\xff"), ElementsAre(-3));
}

TEST_F(Npy, ShapesOfAnyNumberOfAxesAreRead) {
  EXPECT_THAT(read(npy_of(npy_dictionary("|u1", "(2, 3)"), "abcdef")).shape, ElementsAre(2, 3));
  EXPECT_THAT(read(npy_of(npy_dictionary("|u1", "()"), "a")).shape, ElementsAre());
  EXPECT_THAT(read(npy_of(npy_dictionary("|u1", "(0, 4)"), "")).shape, ElementsAre(0, 4));
}

TEST_F(Npy, BytesStayBytes) {
  const NpyArray array = read(npy_of(npy_dictionary("|u1", "(2,)"), "\x01\xff"));
  EXPECT_THAT(std::get<std::vector<std::uint8_t>>(array.values), ElementsAre(1, 255));
  EXPECT_THAT(std::get<std::vector<std::int64_t>>(
                  read(npy_of(npy_dictionary("|b1", "(2,)"), std::string("\0\1", 2))).values),
              ElementsAre(0, 1));
}

TEST_F(Npy, ShapesAreReadOfTheFirstBytes) {
  write_bytes(file_, npy_of(npy_dictionary("|u1", "(70000, 3)"), std::string(210000, 'a')));
  EXPECT_THAT(read_npy_shape(file_), ElementsAre(70000, 3));
  write_bytes(file_, "no array at all");
  EXPECT_THROW(read_npy_shape(file_), InputError);
}

TEST_F(Npy, FloatingPointNumbersAreRead) {
  EXPECT_THAT(floats("<f4", "(1,)", bytes_of<float>({0.1f})), ElementsAre(0.1f));
  EXPECT_THAT(floats("<f8", "(1,)", bytes_of<double>({1.0 + 0x1p-30})), ElementsAre(1.0f));
  EXPECT_THAT(floats("<f2", "(1,)", std::string("\x00\x3c", 2)), ElementsAre(1.0f));
  EXPECT_THROW(read_npy_integers(file_), InputError);
}

TEST_F(Npy, BigEndianNumbersAreRead) {
  EXPECT_THAT(integers(">u2", "(2,)", "\x01\x02\xff\xfe"), ElementsAre(0x102, 0xfffe));
  EXPECT_THAT(integers(">i4", "(1,)", "\xff\xff\xff\xfe"), ElementsAre(-2));
  EXPECT_THAT(integers(">i8", "(1,)", std::string("\0\0\0\0\0\0\1\0", 8)), ElementsAre(256));
  EXPECT_THAT(floats(">f2", "(1,)", std::string("\x3c\x00", 2)), ElementsAre(1.0f));
  EXPECT_THAT(floats(">f4", "(1,)", std::string("\x40\x20\0\0", 4)), ElementsAre(2.5f));
  EXPECT_THAT(floats(">f8", "(1,)", std::string("\xc0\x04\0\0\0\0\0\0", 8)), ElementsAre(-2.5f));
}

/// Element (i, j, k) of 2 x 3 x 4 has the value 12 i + 4 j + k.
TEST_F(Npy, FortranOrderGivesTheSameElementsInCOrder) {
  std::string fortran;
  for (int k = 0; k < 4; ++k)
    for (int j = 0; j < 3; ++j)
      for (int i = 0; i < 2; ++i) fortran += static_cast<char>(12 * i + 4 * j + k);
  const NpyArray array = read(npy_of(npy_dictionary("|i1", "(2, 3, 4)", "True"), fortran));
  EXPECT_THAT(array.shape, ElementsAre(2, 3, 4));
  const auto& values = std::get<std::vector<std::int64_t>>(array.values);
  ASSERT_EQ(values.size(), 24u);
  for (std::size_t n = 0; n < values.size(); ++n) EXPECT_EQ(values[n], static_cast<int>(n));
}

TEST_F(Npy, FortranOrderOfFewAxesAndOfNone) {
  const auto fortran = [&](const std::string& type, const std::string& shape,
                           const std::string& values) {
    write_bytes(file_, npy_of(npy_dictionary(type, shape, "True"), values));
    return read_npy_integers(file_).values;
  };
  EXPECT_THAT(fortran(">u2", "(2, 2)", std::string("\0\1\0\2\0\3\0\4", 8)),
              ElementsAre(1, 3, 2, 4));
  EXPECT_THAT(fortran("|u1", "(3,)", "\1\2\3"), ElementsAre(1, 2, 3));
  EXPECT_THAT(fortran("|u1", "()", "\7"), ElementsAre(7));
  EXPECT_THAT(fortran("|u1", "(2, 0, 3)", ""), ElementsAre());
}

TEST_F(Npy, TheArraysOfOtherProgramsAreRead) {
  const std::string version_2 = std::string("\x93NUMPY\x02\x00", 8) +
                                static_cast<char>(npy_dictionary("|u1", "(1,)").size()) +
                                std::string(3, '\0') + npy_dictionary("|u1", "(1,)") + "a";
  EXPECT_THAT(std::get<std::vector<std::uint8_t>>(read(version_2).values), ElementsAre('a'));
}

TEST_F(Npy, WhatIsNotSuchAnArrayIsRefused) {
  EXPECT_THAT(refusal("PK\x03\x04 an archive"), HasSubstr("it is not a .npy file"));
  EXPECT_THAT(refusal(npy_of(npy_dictionary("|u1", "(2,)"), "a")),
              HasSubstr("another number of them"));
  EXPECT_THAT(refusal(npy_of(npy_dictionary("|u1", "(2,)"), "abc")),
              HasSubstr("another number of them"));
  EXPECT_THAT(refusal(npy_of(npy_dictionary("=u2", "(1,)"), "ab")), HasSubstr("its type is '=u2'"));
  EXPECT_THAT(refusal(npy_of(npy_dictionary("|u2", "(1,)"), "ab")), HasSubstr("its type is '|u2'"));
  EXPECT_THAT(refusal(npy_of(npy_dictionary("", "(1,)"), "a")), HasSubstr("its type is ''"));
  EXPECT_THAT(refusal(npy_of(npy_dictionary("<c8", "(1,)"), "abcdefgh")),
              HasSubstr("type is '<c8'"));
  EXPECT_THAT(refusal(npy_of(npy_dictionary("|u1", "(1,)", "1"), "a")),
              HasSubstr("its header holds '1,"));
  EXPECT_THAT(refusal(npy_of(npy_dictionary(">u8", "(1,)"), std::string(8, '\xff'))),
              HasSubstr("beyond 2^63 - 1"));
  EXPECT_THAT(
      refusal(npy_of("{'descr': [('a', '<u2')], 'fortran_order': False, 'shape': (1,), }", "a")),
      HasSubstr("its header holds"));
  EXPECT_THAT(refusal(npy_of("{'descr': '|u1', 'shape': (1,), }", "a")),
              HasSubstr("its header is"));
  EXPECT_THAT(refusal(npy_of(npy_dictionary("|u1", "(1, x)"), "a")),
              HasSubstr("its shape holds 'x'"));
  EXPECT_THAT(refusal(npy_of(npy_dictionary("|u1", "(-1,)"), "a")),
              HasSubstr("its shape holds '-1,'"));
  EXPECT_THAT(refusal(npy_of(npy_dictionary("<u8", "(1,)"), std::string(8, '\xff'))),
              HasSubstr("beyond 2^63 - 1"));
  EXPECT_THAT(refusal(std::string("\x93NUMPY\x09\x00", 8) + "abcdef"), HasSubstr("version 9"));
  EXPECT_THAT(refusal(std::string("\x93NUMPY\x01\x00", 8) + "\xff\xff" + "{}"),
              HasSubstr("it ends within its header"));
  EXPECT_THAT(refusal(npy_of(npy_dictionary("<u8", "(46116860184273879040, 8)"), "")),
              HasSubstr("its shape is too large"));
  EXPECT_THAT(refusal(npy_of(npy_dictionary("<u8", "(999999999999999999, 999999999)"), "")),
              HasSubstr("another number of them"));
}

}  // namespace
}  // namespace rankine::files
