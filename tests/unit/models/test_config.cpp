#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/errors.hpp"
#include "models/config.hpp"

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

TEST(Config, NamesWhatItDoesNotSupport) {
  using testing::HasSubstr;
  EXPECT_THAT(complaint(R"("model_type":"mamba")"), HasSubstr("architecture \"mamba\""));
  EXPECT_THAT(complaint(llama + R"(,"attention_bias":true)"), HasSubstr("attention_bias = true"));
  EXPECT_THAT(complaint(llama + R"(,"mlp_bias":true)"), HasSubstr("mlp_bias = true"));
  EXPECT_THAT(complaint(llama + R"(,"hidden_act":"gelu")"), HasSubstr("hidden_act = \"gelu\""));
  EXPECT_THAT(complaint(llama + R"(,"num_key_value_heads":5)"), HasSubstr("num_key_value_heads"));
  EXPECT_THAT(complaint(llama + R"(,"sliding_window":1024)"), HasSubstr("sliding_window = 1024"));
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
