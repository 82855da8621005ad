#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/errors.hpp"
#include "models/checkpoint/config.hpp"

namespace rankine::models {
namespace {

const std::string llama =
    R"("model_type":"llama","vocab_size":32000,"hidden_size":4096,"num_hidden_layers":32,)"
    R"("num_attention_heads":32,"intermediate_size":11008,"max_position_embeddings":4096,)"
    R"("rms_norm_eps":1e-5)";

ModelConfig parse(const std::string& members) {
  return parse_config("{" + members + "}", "c.json");
}

/// The same sizes in another architecture.
std::string as(const std::string& model_type) {
  std::string members = llama;
  return members.replace(members.find("llama"), 5, model_type);
}

std::string complaint(const std::string& members) {
  try {
    parse(members);
  } catch (const InputError& error) {
    return error.what();
  }
  return "none";
}

TEST(Config, CountsTheParametersOfPublishedModels) {
  EXPECT_EQ(parse(llama).parameters(), 6'738'415'616);  // Llama 2 7B
  EXPECT_EQ(parse(R"("model_type":"llama","vocab_size":49152,"hidden_size":576,)"
                  R"("num_hidden_layers":30,"num_attention_heads":9,"num_key_value_heads":3,)"
                  R"("intermediate_size":1536,"max_position_embeddings":8192,"rms_norm_eps":1e-5,)"
                  R"("tie_word_embeddings":true)")
                .parameters(),
            134'515'008);  // SmolLM2-135M
  EXPECT_EQ(parse(R"("architectures":["GPT2LMHeadModel"],"vocab_size":50257,"n_embd":768,)"
                  R"("n_layer":12,"n_head":12,"n_positions":1024)")
                .parameters(),
            124'439'808);  // GPT-2
}

TEST(Config, ReadsLlama3sScaling) {
  const auto config =
      parse(llama + R"(,"num_key_value_heads":8,"rope_theta":5e5,"rope_scaling":{"factor":8.0,)"
                    R"("low_freq_factor":1.0,"high_freq_factor":4.0,)"
                    R"("original_max_position_embeddings":8192,"rope_type":"llama3"})");
  EXPECT_EQ(config.key_heads, 8);
  EXPECT_EQ(config.rotary.theta, 5e5);
  ASSERT_TRUE(config.rotary.scaling);
  EXPECT_EQ(config.rotary.scaling->original_context, 8192);
}

TEST(Config, ReadsPositionsInOneObject) {
  const auto config =
      parse(llama + R"(,"rope_parameters":{"rope_type":"default","rope_theta":5e5})");
  EXPECT_EQ(config.rotary.theta, 5e5);
  EXPECT_FALSE(config.rotary.scaling);
}

TEST(Config, PositionsThatContradictAreRefused) {
  using testing::HasSubstr;
  EXPECT_THAT(complaint(llama + R"(,"rope_theta":1e4,"rope_parameters":{"rope_theta":5e5})"),
              HasSubstr("rope_theta = 10000.0 is not supported: rope_parameters.rope_theta"));
  EXPECT_THAT(complaint(llama + R"(,"rope_scaling":{"rope_type":"default","type":"llama3"})"),
              HasSubstr("rope_scaling.rope_type = \"default\" is not supported"));
  EXPECT_THAT(complaint(llama + R"(,"rope_scaling":{"type":"default"},"rope_parameters":)"
                                R"({"rope_type":"default"})"),
              HasSubstr("rope_scaling and rope_parameters contradict each other"));
}

TEST(Config, EveryKeyThatMayChangeTheFunctionIsRefused) {
  using testing::HasSubstr;
  for (const char* member :
       {R"("embedding_multiplier":12)", R"("logit_scale":0.1)", R"("final_logit_softcapping":30.0)",
        R"("rope_interleaved":true)", R"("pruned_heads":{"0":[1]})",
        R"("layer_types":["linear_attention"])", R"("use_mup":false)", R"("rope_theta_2":3)"}) {
    const std::string key = std::string(member).substr(1, std::string(member).find("\":") - 1);
    EXPECT_THAT(complaint(llama + "," + member), HasSubstr(key + " = ")) << member;
  }
  EXPECT_EQ(parse(llama + R"(,"rope_parameters":{"partial_rotary_factor":0.5})").rotary.turned, 64);
  EXPECT_THAT(complaint(llama + R"(,"partial_rotary_factor":0.25,"rope_parameters":)"
                                R"({"partial_rotary_factor":0.5})"),
              HasSubstr("rope_parameters.partial_rotary_factor contradicts it"));
  EXPECT_THAT(complaint(llama + R"(,"rope_parameters":{"temperature":0.5})"),
              HasSubstr("rope_parameters (the key temperature = 0.5 is not known"));
  EXPECT_THAT(complaint(llama + R"(,"auto_map":{"AutoModelForCausalLM":"m.M"})"),
              HasSubstr("auto_map names code of the model's own"));
  EXPECT_THAT(complaint(llama + R"(,"quantization_config":{"quant_method":"gptq","bits":4})"),
              HasSubstr("the checkpoint is quantised, quantization_config: gptq"));
}

TEST(Config, KeysThatChangeNothingAreAccepted) {
  EXPECT_EQ(complaint(llama + R"(,"torch_dtype":"bfloat16","_name_or_path":"x","use_cache":true,)"
                              R"("attention_dropout":0.1,"pretraining_tp":2,"pad_token_id":-1,)"
                              R"("transformers_version":"4.46.3","embedding_multiplier":null,)"
                              R"("partial_rotary_factor":1)"),
            "none");
}

TEST(Config, SizesAndTokensAreWholeNumbersInTheirRange) {
  using testing::HasSubstr;
  const auto with = [&](const std::string& key, const std::string& value) {
    std::string text = llama;
    const auto begin = text.find("\"" + key + "\":");
    if (begin == text.npos) return complaint(text + ",\"" + key + "\":" + value);
    const auto end = text.find_first_of(",", begin);
    return complaint(text.substr(0, begin) + "\"" + key + "\":" + value +
                     (end == text.npos ? "" : text.substr(end)));
  };
  for (const char* key : {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
                          "intermediate_size", "max_position_embeddings", "num_key_value_heads",
                          "head_dim", "sliding_window"})
    for (const char* value : {"64.5", "64.0", "0", "-3", "true", "\"64\"", "[64]", "1e300",
                              "18446744073709551615", "4294967296000"})
      EXPECT_THAT(with(key, value), HasSubstr(std::string(key) + " = ")) << value;
  for (const char* key : {"bos_token_id", "eos_token_id"})
    for (const char* value : {"4294967297", "32000", "-1", "1.5", "\"1\"", "true"})
      EXPECT_THAT(with(key, value), HasSubstr(key)) << value;
  for (const char* key : {"rope_theta", "rms_norm_eps"})
    for (const char* value : {"\"1e4\"", "true", "[1]", "{}", "-1", "1e999", "NaN"})
      EXPECT_THAT(with(key, value), HasSubstr("c.json")) << value;
  EXPECT_THAT(with("vocab_size", "null"), HasSubstr("'vocab_size' is missing"));
  EXPECT_THAT(with("tie_word_embeddings", "1"), HasSubstr("tie_word_embeddings = 1 is not true"));
  EXPECT_THAT(with("model_type", "7"), HasSubstr("model_type = 7 is not a text"));
}

TEST(Config, WindowsAreThoseOfTheArchitecture) {
  using testing::HasSubstr;
  // Llama has none; a window as long as the context changes nothing.
  EXPECT_FALSE(parse(llama + R"(,"sliding_window":4096)").sliding_window);
  EXPECT_FALSE(
      parse(llama + R"(,"sliding_window":1024,"use_sliding_window":false)").sliding_window);
  EXPECT_THAT(complaint(llama + R"(,"sliding_window":1024)"), HasSubstr("llama models have none"));
  // Mistral's own window, where the file says nothing.
  const std::string mistral = as("mistral");
  EXPECT_EQ(parse(mistral).window(31), 4096);
  EXPECT_EQ(parse(mistral + R"(,"sliding_window":null)").window(31), std::nullopt);
  const std::string qwen = as("qwen2");
  EXPECT_EQ(parse(qwen + R"(,"sliding_window":64)").window(31), std::nullopt);
  const auto used = parse(qwen + R"(,"sliding_window":64,"use_sliding_window":true)");
  EXPECT_EQ(used.window(27), std::nullopt);
  EXPECT_EQ(used.window(28), 64);
  const auto gemma = parse(as("gemma3_text"));
  EXPECT_EQ(gemma.window(4), 4096);
  EXPECT_EQ(gemma.window(5), std::nullopt);
  EXPECT_EQ(gemma.window(11), std::nullopt);
  EXPECT_THAT(complaint(as("gemma3_text") + R"(,"layer_types":["full_attention"])"),
              HasSubstr("layer_types speaks of 1 layers of 32"));
}

TEST(Config, WhatIsAbsentHasTheDefaultsOfTheArchitecture) {
  const std::string sizes = R"(,"vocab_size":100,"hidden_size":1024,"num_hidden_layers":2,)"
                            R"("num_attention_heads":32,"intermediate_size":96)";
  const auto of = [&](const char* type) {
    return parse("\"model_type\":\"" + std::string(type) + "\"" + sizes);
  };
  EXPECT_EQ(of("llama").norm_epsilon, 1e-6);
  EXPECT_EQ(of("llama").rotary.theta, 10000);
  EXPECT_EQ(of("llama").key_heads, 32);
  EXPECT_EQ(of("llama").context, 2048);
  EXPECT_EQ(of("mistral").key_heads, 8);
  EXPECT_TRUE(of("qwen2").has_attention_bias);
  EXPECT_FALSE(of("qwen2").has_output_bias);
  EXPECT_EQ(of("qwen3").head_size, 128);
  EXPECT_TRUE(of("gemma3_text").has_tied_head);
  EXPECT_EQ(of("gemma3_text").rotary.theta, 1e6);
  EXPECT_EQ(of("gemma3_text").local_rotary->theta, 1e4);
  EXPECT_EQ(of("gemma3_text").score_scale, 1.0 / 16);
  EXPECT_EQ(of("phi3").norm_epsilon, 1e-5);
  EXPECT_TRUE(of("gpt_neox").is_parallel);
}

TEST(Config, PositionsMayDifferBetweenKindsOfLayers) {
  const auto config = parse(
      as("gemma3_text") +
      R"(,"rope_parameters":{"full_attention":{"rope_type":"linear","factor":8,"rope_theta":2e6},)"
      R"("sliding_attention":{"rope_theta":3e4}})");
  EXPECT_EQ(config.rotary_of(5)->theta, 2e6);
  EXPECT_EQ(config.rotary_of(5)->stretch, 8);
  EXPECT_EQ(config.rotary_of(4)->theta, 3e4);
  EXPECT_EQ(config.rotary_of(4)->stretch, 1);
}

TEST(Config, AKeyThatIsNotKnownIsNamed) {
  EXPECT_THAT(parse(llama + R"(,"favourite_colour":"blue","reviewed_by":3)").notices,
              testing::ElementsAre(testing::HasSubstr(
                  "keys that are not known and were ignored: favourite_colour, reviewed_by")));
  EXPECT_TRUE(parse(llama).notices.empty());
}

TEST(Config, CodeUnderTheNameOfTheStockClassIsNotNeeded) {
  const auto config =
      parse(as("phi3") + R"(,"auto_map":{"AutoConfig":"c.Phi3Config","AutoModelForCausalLM":)"
                         R"("modeling_phi3.Phi3ForCausalLM"})");
  EXPECT_THAT(config.notices, testing::ElementsAre(testing::HasSubstr("the stock model")));
}

TEST(Config, ReadsOneEndTokenOrSeveral) {
  using testing::ElementsAre;
  EXPECT_TRUE(parse(llama).end_of_sequence.empty());
  EXPECT_THAT(parse(llama + R"(,"eos_token_id":2)").end_of_sequence, ElementsAre(2));
  EXPECT_THAT(parse(llama + R"(,"eos_token_id":[2,7])").end_of_sequence, ElementsAre(2, 7));
  EXPECT_TRUE(parse(llama + R"(,"eos_token_id":null)").end_of_sequence.empty());
}

TEST(Config, NamesWhatItDoesNotSupport) {
  using testing::HasSubstr;
  EXPECT_THAT(complaint(R"("model_type":"mamba")"), HasSubstr("architecture \"mamba\""));
  EXPECT_THAT(complaint(as("mistral") + R"(,"attention_bias":true)"),
              HasSubstr("attention_bias = true"));
  EXPECT_THAT(complaint(llama + R"(,"hidden_act":"mish")"), HasSubstr("hidden_act = \"mish\""));
  EXPECT_THAT(complaint(llama + R"(,"num_key_value_heads":5)"), HasSubstr("num_key_value_heads"));
  EXPECT_THAT(complaint(llama + R"(,"rope_scaling":{"type":"yarn","factor":2.0})"),
              HasSubstr("rope_scaling.type = \"yarn\""));
  EXPECT_THAT(complaint(R"("model_type":"llama","vocab_size":10)"), HasSubstr("hidden_size"));
  EXPECT_THAT(complaint(R"("model_type":"gpt2","vocab_size":9,"n_embd":8,"n_layer":1,"n_head":2,)"
                        R"("n_positions":8,"activation_function":"mish")"),
              HasSubstr("activation_function = \"mish\""));
  EXPECT_THROW(parse_config("{\"model_type\":", "c.json"), InputError);
}

}  // namespace
}  // namespace rankine::models
