// JSON is read strictly, and messages name the text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/errors.hpp"
#include "files/json_document.hpp"
#include "safetensors_bytes.hpp"
#include "scratch_folder.hpp"

namespace rankine::files {
namespace {

using testing::AllOf;
using testing::HasSubstr;

template <class Work>
std::string refusal(Work&& work) {
  try {
    work();
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was refused";
}

std::string refusal_of(const char* text) {
  return refusal([text] { parse_json(text, "'config.json'"); });
}

TEST(Json, IsRead) {
  const auto document = parse_json(R"({"a": {"x": [1, 2.5]}, "b": {"x": null}})", "");
  EXPECT_EQ(document["a"]["x"][1], 2.5);
  EXPECT_TRUE(document["b"]["x"].is_null());
}

TEST(Json, KeysGivenTwiceAreRefusedAtAnyDepth) {
  EXPECT_THAT(refusal_of(R"({"a": 1, "a": 1})"), HasSubstr("'config.json' (it names 'a' twice)"));
  EXPECT_THAT(refusal_of(R"([{"b": {"c": 1, "d": {"c": 1}, "c": 2}}])"), HasSubstr("'c' twice"));
}

TEST(Json, WhatIsMalformedIsRefusedWithItsPlace) {
  EXPECT_THAT(refusal_of("{\"a\":\n 1,}"),
              AllOf(HasSubstr("Cannot read 'config.json' (not valid JSON, at line 2, column 4")));
  EXPECT_THAT(refusal_of("[1e999]"), HasSubstr("not valid JSON, number overflow"));
  EXPECT_THAT(refusal_of(""), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal_of("1 2"), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal_of("\"\xff\""), HasSubstr("not valid JSON"));
}

TEST(Json, DeepNestingIsRefused) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(refusal_of(nested(100).c_str()), "nothing was refused");
  EXPECT_THAT(refusal_of(nested(102).c_str()), HasSubstr("within more than 100 others"));
  EXPECT_THAT(refusal_of(nested(1'000'000).c_str()), HasSubstr("within more than 100 others"));
  EXPECT_THAT(refusal_of(std::string(1'000'000, '[').c_str()), HasSubstr("more than 100 others"));
}

class JsonFile : public ScratchFolder {};

TEST_F(JsonFile, IsReadFromDisk) {
  write_bytes(folder_ / "a.json", "[3]");
  EXPECT_EQ(read_json(folder_ / "a.json")[0], 3);
}

TEST_F(JsonFile, ThatCannotBeReadIsRefused) {
  EXPECT_THAT(
      refusal([this] { read_json(folder_ / "absent.json"); }),
      AllOf(HasSubstr((folder_ / "absent.json").string()), HasSubstr("there is no such file")));
  EXPECT_THAT(refusal([this] { read_json(folder_); }), HasSubstr("it is a folder"));
}

}  // namespace
}  // namespace rankine::files
