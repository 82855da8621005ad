// Checkpoints of one or several files: the index and its shards must agree.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/errors.hpp"
#include "files/safetensors/layout.hpp"
#include "files/safetensors/plan.hpp"
#include "safetensors_bytes.hpp"
#include "scratch_folder.hpp"

namespace rankine::files {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// A file of one U8 tensor of four bytes.
std::string one_tensor(const std::string& name) {
  return safetensors_bytes("{\"" + name + R"(":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
                           "1234");
}

/// A file of two of them.
std::string two_tensors(const std::string& first, const std::string& second) {
  return safetensors_bytes("{\"" + first +
                               R"(":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},")" + second +
                               R"(":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
                           "12345678");
}

class Layout : public ScratchFolder {
 protected:
  void write(const std::string& name, const std::string& bytes) {
    write_bytes(folder_ / name, bytes);
  }
  void write_index(const std::string& weight_map) {
    write(index_file_name, R"({"metadata":{"total_size":8},"weight_map":)" + weight_map + "}");
  }
  std::string refusal() {
    try {
      read_layout(folder_);
    } catch (const InputError& error) {
      return error.what();
    }
    return "nothing was refused";
  }
};

TEST_F(Layout, ShardsAreJoined) {
  write("two", one_tensor("a"));
  write("one", one_tensor("b"));
  write_index(R"({"a":"two","b":"one"})");
  const auto layout = layout_from_text(text_of(read_layout(folder_)));
  EXPECT_THAT(layout.shards, ElementsAre("one", "two"));
  ASSERT_EQ(layout.tensors.size(), 2u);
  EXPECT_EQ(layout.tensors[0].name, "a");
  EXPECT_EQ(layout.tensors[0].shard, 1u);
  EXPECT_THAT(layout.tensors[0].shape, ElementsAre(4));
  EXPECT_EQ(layout.tensors[0].type, DataType::uint8);
  EXPECT_EQ(layout.tensors[1].shard, 0u);
}

TEST_F(Layout, AFileMayBeNamedItself) {
  write("any.safetensors", one_tensor("a"));
  EXPECT_EQ(read_layout(folder_ / "any.safetensors").tensors.size(), 1u);
  EXPECT_EQ(folder_of(folder_ / "any.safetensors"), folder_);
}

TEST_F(Layout, AFolderWithoutCheckpointIsRefused) {
  EXPECT_THAT(refusal(), AllOf(HasSubstr("There is no checkpoint in"), HasSubstr(index_file_name)));
  EXPECT_THROW(read_layout(folder_ / "absent"), InputError);
}

TEST_F(Layout, AMissingShardIsRefused) {
  write("one", one_tensor("b"));
  write_index(R"({"a":"two","b":"one"})");
  EXPECT_THAT(refusal(), AllOf(HasSubstr(index_file_name), HasSubstr("shard 'two' is missing")));
}

TEST_F(Layout, ATensorThatItsShardLacksIsRefused) {
  write("one", one_tensor("b"));
  write_index(R"({"a":"one","b":"one"})");
  EXPECT_THAT(refusal(), HasSubstr("it sees tensor 'a' in 'one', which lacks it"));
}

TEST_F(Layout, TheIndexDecidesWhereATensorLies) {
  write("one", one_tensor("b"));
  write("two", two_tensors("b", "a"));
  write_index(R"({"b":"one","a":"two"})");
  const auto layout = read_layout(folder_);
  ASSERT_EQ(layout.tensors.size(), 2u);
  EXPECT_EQ(layout.shards[layout.tensors[1].shard], "one");
  EXPECT_THAT(layout.left_out, ElementsAre("'b' of 'two', which the index sees in 'one'"));
}

TEST_F(Layout, ATensorThatTheIndexLacksIsLeftOut) {
  write("one", two_tensors("a", "c"));
  write_index(R"({"a":"one"})");
  const auto layout = read_layout(folder_);
  ASSERT_EQ(layout.tensors.size(), 1u);
  EXPECT_EQ(layout.tensors[0].name, "a");
  EXPECT_THAT(layout.left_out, ElementsAre("'c' of 'one', which the index sees nowhere"));
}

TEST_F(Layout, ATensorThatOnlyAnotherShardHoldsIsRefused) {
  write("one", two_tensors("a", "b"));
  write("two", one_tensor("c"));
  write_index(R"({"a":"two","b":"one","c":"two"})");
  EXPECT_THAT(refusal(), HasSubstr("it sees tensor 'a' in 'two', which lacks it"));
}

TEST_F(Layout, ATruncatedShardIsRefused) {
  const std::string whole = one_tensor("a");
  write("one", whole.substr(0, whole.size() - 1));
  write_index(R"({"a":"one"})");
  EXPECT_THAT(refusal(),
              AllOf(HasSubstr("tensor 'a'"), HasSubstr("/one'"), HasSubstr("file has 3")));
}

TEST_F(Layout, AWrongIndexIsRefused) {
  write(index_file_name, "{}");
  EXPECT_THAT(refusal(), HasSubstr("it has no object 'weight_map'"));
  write_index(R"({"a":3})");
  EXPECT_THAT(refusal(), HasSubstr("for tensor 'a' it names no file of its folder"));
  write_index(R"({"a":"../one"})");
  EXPECT_THAT(refusal(), HasSubstr("for tensor 'a' it names no file of its folder"));
  write_index(R"({"a":"one","a":"two"})");
  EXPECT_THAT(refusal(), HasSubstr("names 'a' twice"));
}

TEST(ShardPlan, AShardEndsBeforeItWouldGrowTooLarge) {
  const auto plan = plan_shards({{"d", DataType::float32, {4}},
                                 {"c", DataType::bfloat16, {4, 1}},
                                 {"b", DataType::float32, {100}},
                                 {"a", DataType::float64, {}}},
                                24, "out");
  ASSERT_EQ(plan.shards.size(), 3u);
  EXPECT_EQ(plan.shards[0].name, "model-00001-of-00003.safetensors");
  EXPECT_EQ(plan.shards[0].bytes, plan.shards[0].header.size() + 16 + 8);
  EXPECT_EQ(plan.shards[1].bytes, plan.shards[1].header.size() + 400);
  EXPECT_EQ(plan.shards[2].bytes, plan.shards[2].header.size() + 8);
  EXPECT_EQ(plan.tensors[0].name, "a");
  EXPECT_EQ(plan.tensors[0].shard, 2u);
  EXPECT_THAT(plan.index, HasSubstr(R"("total_size": 432)"));
}

TEST(ShardPlan, WhatFitsIsOneFileWithoutIndex) {
  const auto plan = plan_shards({{"a", DataType::float32, {6}}}, 24, "out");
  ASSERT_EQ(plan.shards.size(), 1u);
  EXPECT_EQ(plan.shards[0].name, single_file_name);
  EXPECT_EQ(plan.index, "");
}

TEST(ShardPlan, WrongPlansAreRefused) {
  const auto refusal = [](std::vector<TensorPlan> tensors) -> std::string {
    try {
      plan_shards(std::move(tensors), 100, "out");
    } catch (const InputError& error) {
      return error.what();
    }
    return "nothing was refused";
  };
  const TensorPlan tensor{"a", DataType::float32, {6}};
  EXPECT_THAT(refusal({tensor, tensor}), HasSubstr("'a' to 'out' (it is planned twice)"));
  EXPECT_THAT(refusal({{"a", DataType::int8, {6}}}), HasSubstr("its type is not floating-point"));
  EXPECT_THAT(refusal({{"a", DataType::float32, {-6}}}), HasSubstr("its shape is negative"));
  EXPECT_THAT(refusal({{"__metadata__", DataType::float32, {}}}), HasSubstr("reserves this name"));
}

}  // namespace
}  // namespace rankine::files
