// Headers of safetensors files: what is right is read, what is wrong is refused with its reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/errors.hpp"
#include "files/safetensors/header.hpp"
#include "safetensors_bytes.hpp"
#include "scratch_folder.hpp"

namespace rankine::files {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class Header : public ScratchFolder {
 protected:
  SafetensorsHeader read(const std::string& bytes) {
    write_bytes(file_, bytes);
    return read_header(file_, 0);
  }

  /// The message with which a file of these bytes is refused.
  std::string refusal(const std::string& bytes) {
    try {
      read(bytes);
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(file_.string()));
      return error.what();
    }
    return "nothing was refused";
  }

  /// One tensor "a.weight" with these facts, before `n_bytes` bytes of values.
  std::string refusal_of_tensor(const std::string& facts, std::size_t n_bytes) {
    return refusal(safetensors_bytes("{\"a.weight\":{" + facts + "}}", std::string(n_bytes, '\0')));
  }

  std::filesystem::path file_ = folder_ / "tensors.safetensors";
};

const std::string good_facts = R"("dtype":"F32","shape":[2,3],"data_offsets":[0,24])";

TEST_F(Header, TensorsAreReadInTheOrderOfTheirBytes) {
  const auto header = read(safetensors_bytes(
      R"({"b":{"dtype":"BF16","shape":[],"data_offsets":[24,26]},"__metadata__":{"format":"pt"},)"
      R"("a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
      R"("none":{"dtype":"F32","shape":[0,7],"data_offsets":[24,24]}}   )",
      std::string(26, 'x')));
  ASSERT_EQ(header.tensors.size(), 3u);
  EXPECT_EQ(header.tensors[0].name, "a");
  EXPECT_THAT(header.tensors[0].shape, ElementsAre(2, 3));
  EXPECT_EQ(header.tensors[0].bytes, 24u);
  EXPECT_EQ(header.tensors[1].name, "none");
  EXPECT_EQ(header.tensors[1].bytes, 0u);
  EXPECT_EQ(header.tensors[2].type, DataType::bfloat16);
  EXPECT_EQ(header.tensors[2].begin, header.tensors[0].begin + 24);
  EXPECT_EQ(header.metadata.at("format"), "pt");
}

TEST_F(Header, AFileTooShortForALengthIsRefused) {
  EXPECT_THAT(refusal("1234567"), HasSubstr("it has 7 bytes, too few"));
}

TEST_F(Header, AHeaderLongerThanTheFormatAllowsIsRefused) {
  EXPECT_THAT(refusal(safetensors_bytes(100'000'001, "{}", "")),
              HasSubstr("header would have 100000001 bytes; the format allows 100000000"));
  EXPECT_THAT(refusal(safetensors_bytes(~std::uint64_t{0}, "{}", "")),
              HasSubstr("the format allows 100000000"));
}

TEST_F(Header, AHeaderLongerThanTheFileIsRefused) {
  EXPECT_THAT(refusal(safetensors_bytes(3, "{}", "")),
              HasSubstr("header would have 3 bytes, but the file has only 10"));
}

TEST_F(Header, WhatIsNotJsonIsRefused) {
  EXPECT_THAT(refusal(safetensors_bytes("[1]", "")), HasSubstr("does not begin with '{'"));
  EXPECT_THAT(refusal(safetensors_bytes("{\"a\":", "")), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal(safetensors_bytes("{} {}", "")), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal(safetensors_bytes("{\"a\xff\":1}", "")), HasSubstr("not valid JSON"));
}

TEST_F(Header, ANameGivenTwiceIsRefused) {
  const std::string tensor = R"("twin":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  EXPECT_THAT(refusal(safetensors_bytes("{" + tensor + "," + tensor + "}", "x")),
              HasSubstr("names 'twin' twice"));
}

TEST_F(Header, AnUnknownTypeIsRefused) {
  EXPECT_THAT(refusal_of_tensor(R"("dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1])", 1),
              AllOf(HasSubstr("'a.weight'"), HasSubstr("dtype 'F8_E4M3' is not known")));
  EXPECT_THAT(refusal_of_tensor(R"("shape":[1],"data_offsets":[0,1])", 1),
              AllOf(HasSubstr("'a.weight'"), HasSubstr("it has no dtype")));
}

TEST_F(Header, AWrongShapeIsRefused) {
  const std::string rest = R"(,"dtype":"F32","data_offsets":[0,4])";
  EXPECT_THAT(refusal_of_tensor(R"("dtype":"F32","data_offsets":[0,4])", 4),
              HasSubstr("it has no shape"));
  EXPECT_THAT(refusal_of_tensor("\"shape\":[-1]" + rest, 4), HasSubstr("its shape holds -1"));
  EXPECT_THAT(refusal_of_tensor("\"shape\":[1.5]" + rest, 4), HasSubstr("its shape holds 1.5"));
  EXPECT_THAT(refusal_of_tensor("\"shape\":[9223372036854775807,3]" + rest, 4),
              HasSubstr("more than 2^63 - 1 values"));
}

TEST_F(Header, BytesThatDoNotFitTheShapeAreRefused) {
  EXPECT_THAT(refusal_of_tensor(R"("dtype":"F32","shape":[2,3],"data_offsets":[0,20])", 20),
              AllOf(HasSubstr("'a.weight'"), HasSubstr("its 20 bytes cannot be 6 values of F32")));
  // 2^62 values of four bytes: 2^64, which is 0 in 64 bits.
  EXPECT_THAT(
      refusal_of_tensor(R"("dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0])", 0),
      HasSubstr("its 0 bytes cannot be"));
}

TEST_F(Header, WrongOffsetsAreRefused) {
  const std::string rest = R"("dtype":"U8","shape":[4],"data_offsets":)";
  EXPECT_THAT(refusal_of_tensor(rest + "[4]", 4), HasSubstr("are not two byte numbers"));
  EXPECT_THAT(refusal_of_tensor(rest + "[-4,0]", 4), HasSubstr("are not two byte numbers"));
  EXPECT_THAT(refusal_of_tensor(rest + "[4,0]", 4), HasSubstr("it ends at 0, before 4"));
}

TEST_F(Header, ATruncatedFileIsRefused) {
  EXPECT_THAT(refusal_of_tensor(good_facts, 23),
              AllOf(HasSubstr("'a.weight'"),
                    HasSubstr("it ends 24 bytes after the header, where the file has 23")));
}

TEST_F(Header, OffsetsBeyondSixtyFourBitsOfTheFileAreRefused) {
  EXPECT_THAT(
      refusal_of_tensor(
          R"("dtype":"U8","shape":[1],"data_offsets":[18446744073709551614,18446744073709551615])",
          1),
      HasSubstr("where the file has 1"));
}

TEST_F(Header, OverlapsAreRefused) {
  EXPECT_THAT(refusal(safetensors_bytes(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                                        R"("b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}})",
                                        "1234567")),
              AllOf(HasSubstr("tensor 'b'"), HasSubstr("it overlaps tensor 'a'")));
}

TEST_F(Header, HolesAreRefused) {
  EXPECT_THAT(refusal(safetensors_bytes(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                                        R"("b":{"dtype":"U8","shape":[2],"data_offsets":[5,7]}})",
                                        "1234567")),
              AllOf(HasSubstr("tensor 'b'"), HasSubstr("no tensor fills 1 byte before it")));
  EXPECT_THAT(refusal_of_tensor(good_facts, 26), HasSubstr("no tensor fills 2 bytes at its end"));
}

TEST_F(Header, MetadataOtherThanTextsIsRefused) {
  EXPECT_THAT(refusal(safetensors_bytes(R"({"__metadata__":{"step":3}})", "")),
              HasSubstr("'step' in '__metadata__' is not a text"));
  EXPECT_THAT(refusal(safetensors_bytes(R"({"__metadata__":[]})", "")),
              HasSubstr("'__metadata__' is not an object"));
}

TEST_F(Header, AFileThatIsNotThereIsRefused) {
  EXPECT_THROW(read_header(folder_ / "absent", 0), InputError);
}

TEST_F(Header, WhatIsComposedIsRead) {
  std::vector<TensorEntry> tensors = {{"b", DataType::float16, {3}, 0, 0, 0},
                                      {"a", DataType::float64, {2, 2}, 0, 0, 0}};
  const std::string bytes = compose_header(tensors);
  EXPECT_EQ(bytes.size() % 8, 0u);
  const auto header = read(bytes + std::string(6 + 32, '\0'));
  ASSERT_EQ(header.tensors.size(), 2u);
  EXPECT_EQ(header.tensors[0].name, "b");
  EXPECT_EQ(header.tensors[0].begin, bytes.size());
  EXPECT_EQ(header.tensors[1].begin, tensors[1].begin);
  EXPECT_EQ(header.metadata.at("format"), "pt");
}

}  // namespace
}  // namespace rankine::files
