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
  EXPECT_EQ(config.rope_theta, 5e5);
  ASSERT_TRUE(config.rope_scaling);
  EXPECT_EQ(config.rope_scaling->original_context, 8192);
}

TEST(Config, ReadsPositionsInOneObject) {
  const auto config =
      parse(llama + R"(,"rope_parameters":{"rope_type":"default","rope_theta":5e5})");
  EXPECT_EQ(config.rope_theta, 5e5);
  EXPECT_FALSE(config.rope_scaling);
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
  for (const char* member : {R"("partial_rotary_factor":0.5)", R"("embedding_multiplier":12)",
                             R"("logit_scale":0.1)", R"("final_logit_softcapping":30.0)",
                             R"("rope_interleaved":true)", R"("pruned_heads":{"0":[1]})",
                             R"("layer_types":["linear_attention"])", R"("use_mup":false)"}) {
    const std::string key = std::string(member).substr(1, std::string(member).find("\":") - 1);
    EXPECT_THAT(complaint(llama + "," + member), HasSubstr(key + " = ")) << member;
  }
  EXPECT_THAT(complaint(llama + R"(,"rope_parameters":{"partial_rotary_factor":0.5})"),
              HasSubstr("rope_parameters.partial_rotary_factor = 0.5 is not supported"));
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
                              R"("layer_types":["full_attention"],"partial_rotary_factor":1)"),
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

TEST(Config, AWindowOfAttentionActsWhereItIsShorterThanTheContext) {
  EXPECT_EQ(parse(llama + R"(,"sliding_window":4096)").longest_sequence(), 4096);
  EXPECT_EQ(parse(llama + R"(,"sliding_window":1024)").longest_sequence(), 1024);
  EXPECT_EQ(
      parse(llama + R"(,"sliding_window":1024,"use_sliding_window":false)").longest_sequence(),
      4096);
  // Mistral's own window, where the file says nothing.
  std::string mistral = llama;
  mistral.replace(mistral.find("llama"), 5, "mistral");
  mistral.replace(mistral.find("4096,\"rms"), 4, "8192");
  EXPECT_EQ(parse(mistral).longest_sequence(), 4096);
  EXPECT_EQ(parse(mistral + R"(,"sliding_window":null)").longest_sequence(), 8192);
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
  EXPECT_THAT(complaint(llama + R"(,"attention_bias":true)"), HasSubstr("attention_bias = true"));
  EXPECT_THAT(complaint(llama + R"(,"mlp_bias":true)"), HasSubstr("mlp_bias = true"));
  EXPECT_THAT(complaint(llama + R"(,"hidden_act":"gelu")"), HasSubstr("hidden_act = \"gelu\""));
  EXPECT_THAT(complaint(llama + R"(,"num_key_value_heads":5)"), HasSubstr("num_key_value_heads"));
  EXPECT_THAT(complaint(llama + R"(,"rope_scaling":{"type":"yarn","factor":2.0})"),
              HasSubstr("rope_scaling.type = \"yarn\""));
  EXPECT_THAT(complaint(R"("model_type":"llama","vocab_size":10)"), HasSubstr("hidden_size"));
  EXPECT_THAT(complaint(R"("model_type":"gpt2","vocab_size":9,"n_embd":8,"n_layer":1,"n_head":2,)"
                        R"("n_positions":8,"activation_function":"relu")"),
              HasSubstr("activation_function = \"relu\""));
  EXPECT_THROW(parse_config("{\"model_type\":", "c.json"), InputError);
}

}  // namespace
}  // namespace rankine::models
