// Arrays as numpy.save writes them; the bytes here follow NumPy's format description.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/errors.hpp"
#include "files/npy.hpp"
#include "safetensors_bytes.hpp"
#include "scratch_folder.hpp"

namespace rankine::files {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Version 1.0 with this dictionary and these values.
std::string npy(const std::string& dictionary, const std::string& values) {
  const std::string header = dictionary + "\n";
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header +
         values;
}

std::string described(const std::string& type, const std::string& shape) {
  return "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
}

class Npy : public ScratchFolder {
 protected:
  NpyArray read(const std::string& bytes) {
    write_bytes(file_, bytes);
    return read_npy(file_);
  }
  std::vector<std::int64_t> integers(const std::string& type, const std::string& shape,
                                     const std::string& values) {
    return std::get<0>(read(npy(described(type, shape), values)).values);
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
  EXPECT_THAT(read(npy(described("|u1", "(2, 3)"), "abcdef")).shape, ElementsAre(2, 3));
  EXPECT_THAT(read(npy(described("|u1", "()"), "a")).shape, ElementsAre());
  EXPECT_THAT(read(npy(described("|u1", "(0, 4)"), "")).shape, ElementsAre(0, 4));
}

TEST_F(Npy, FloatingPointNumbersAreRead) {
  const float single = 0.1f;
  const double wide = 1.0 + 0x1p-30;
  const auto bytes = [](const auto& value) {
    return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
  };
  EXPECT_THAT(std::get<1>(read(npy(described("<f4", "(1,)"), bytes(single))).values),
              ElementsAre(0.1f));
  EXPECT_THAT(std::get<1>(read(npy(described("<f8", "(1,)"), bytes(wide))).values),
              ElementsAre(1.0f));
  EXPECT_THAT(std::get<1>(read(npy(described("<f2", "(1,)"), std::string("\x00\x3c", 2))).values),
              ElementsAre(1.0f));
  EXPECT_THROW(read_npy_integers(file_), InputError);
}

TEST_F(Npy, TheArraysOfOtherProgramsAreRead) {
  const std::string version_2 = std::string("\x93NUMPY\x02\x00", 8) +
                                static_cast<char>(described("|u1", "(1,)").size()) +
                                std::string(3, '\0') + described("|u1", "(1,)") + "a";
  EXPECT_THAT(std::get<0>(read(version_2).values), ElementsAre('a'));
}

TEST_F(Npy, WhatIsNotSuchAnArrayIsRefused) {
  EXPECT_THAT(refusal("PK\x03\x04 an archive"), HasSubstr("it is not a .npy file"));
  EXPECT_THAT(refusal(npy(described("|u1", "(2,)"), "a")), HasSubstr("another number of them"));
  EXPECT_THAT(refusal(npy(described("|u1", "(2,)"), "abc")), HasSubstr("another number of them"));
  EXPECT_THAT(refusal(npy(described(">u2", "(1,)"), "ab")), HasSubstr("its type is '>u2'"));
  EXPECT_THAT(refusal(npy(described("<c8", "(1,)"), "abcdefgh")), HasSubstr("type is '<c8'"));
  EXPECT_THAT(refusal(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (1,), }", "a")),
              HasSubstr("Fortran order"));
  EXPECT_THAT(
      refusal(npy("{'descr': [('a', '<u2')], 'fortran_order': False, 'shape': (1,), }", "a")),
      HasSubstr("its header holds"));
  EXPECT_THAT(refusal(npy("{'descr': '|u1', 'shape': (1,), }", "a")), HasSubstr("its header is"));
  EXPECT_THAT(refusal(npy(described("|u1", "(1, x)"), "a")), HasSubstr("its shape holds 'x'"));
  EXPECT_THAT(refusal(npy(described("|u1", "(-1,)"), "a")), HasSubstr("its shape holds '-1,'"));
  EXPECT_THAT(refusal(npy(described("<u8", "(1,)"), std::string(8, '\xff'))),
              HasSubstr("beyond 2^63 - 1"));
  EXPECT_THAT(refusal(std::string("\x93NUMPY\x09\x00", 8) + "abcdef"), HasSubstr("version 9"));
  EXPECT_THAT(refusal(std::string("\x93NUMPY\x01\x00", 8) + "\xff\xff" + "{}"),
              HasSubstr("it ends within its header"));
  EXPECT_THAT(refusal(npy(described("<u8", "(46116860184273879040, 8)"), "")),
              HasSubstr("its shape is too large"));
  EXPECT_THAT(refusal(npy(described("<u8", "(999999999999999999, 999999999)"), "")),
              HasSubstr("another number of them"));
}

}  // namespace
}  // namespace rankine::files
