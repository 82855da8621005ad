// What an adapter costs, and weights it does not fit, before a model is loaded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "compress/job/adapter_plan.hpp"
#include "core/errors.hpp"

namespace rankine::compress {
namespace {

/// An adapter on one projection that keeps the width of 4096, as Llama-3.1-8B has it.
CompressionJob projection(AdapterOptions adapter) {
  CompressionJob job;
  job.options.adapter = std::move(adapter);
  job.is_outline = true;
  job.adapted = {{"model.layers.16.self_attn.q_proj", {4096, 4096}}};
  return job;
}

TEST(AdapterPlan, CountsTheNumbersOfAProjection) {
  const std::int64_t numbers[] = {2048, 6144, 14336, 30720, 63488, 129024};
  for (std::int64_t k = 1; k <= 6; ++k) {
    const AdapterCost cost =
        adapter_cost(projection({.kind = Adapter::cayley, .block = std::int64_t{1} << k}));
    EXPECT_EQ(cost.numbers, numbers[k - 1]);
    EXPECT_EQ(cost.blocks, 4096 >> k);
    EXPECT_EQ(cost.qubits, k);
    EXPECT_EQ(cost.bytes, 4 * cost.numbers);
  }
}

TEST(AdapterPlan, CountsSidesLayersAndBaselines) {
  using weights::AdapterSide;
  const AdapterCost both = adapter_cost(
      projection({.kind = Adapter::cayley, .side = AdapterSide::both, .block = 4, .layers = 3}));
  EXPECT_EQ(both.numbers, 6 * 6144);
  EXPECT_EQ(both.blocks, 6 * 1024);
  EXPECT_EQ(adapter_cost(projection({.kind = Adapter::block_diagonal, .block = 4})).numbers, 16384);
  const AdapterCost lora = adapter_cost(projection({.kind = Adapter::lora, .rank = 3}));
  EXPECT_EQ(lora.numbers, 3 * 8192);
  EXPECT_EQ(lora.blocks, 0);
  EXPECT_EQ(lora.qubits, 0);
  EXPECT_EQ(qubits_of(64), 6);
  EXPECT_EQ(qubits_of(6), 0);
}

TEST(AdapterPlan, NamesTheDivisorsNearestToABlockThatDoesNotFit) {
  const auto message = [](std::int64_t block, weights::MatrixShape shape) -> std::string {
    CompressionJob job = projection({.kind = Adapter::cayley, .block = block});
    job.adapted.front().shape = shape;
    try {
      check_adapter(job);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message(6, {10, 576}), "");
  EXPECT_THAT(
      message(7, {10, 576}),
      testing::HasSubstr("does not divide the 576 inputs of model.layers.16.self_attn.q_proj "
                         "(the nearest divisors are 6 and 8)"));
  EXPECT_THAT(message(4, {10, 2}), testing::HasSubstr("the nearest divisor is 2"));
  EXPECT_THAT(message(4, {10, 67}), testing::HasSubstr("it has no divisor from 2 to 64"));
}

TEST(AdapterPlan, GivesEveryWeightASeedOfItsOwn) {
  const AdapterOptions one{.kind = Adapter::lora, .seed = 1}, two{.kind = Adapter::lora, .seed = 2};
  EXPECT_EQ(adapter_shape(one, "a").seed, adapter_shape(one, "a").seed);
  EXPECT_NE(adapter_shape(one, "a").seed, adapter_shape(one, "b").seed);
  EXPECT_NE(adapter_shape(one, "a").seed, adapter_shape(two, "a").seed);
}

}  // namespace
}  // namespace rankine::compress
