// A small model of each architecture, with every property that sets it apart.
#pragma once

#include <cmath>
#include <numeric>

#include "tiny_model.hpp"

namespace rankine {

struct TinyShape {
  int vocabulary = 29, width = 12, layers = 2, heads = 4, key_heads = 2, head_size = 6, hidden = 10;
};

/// The tensors that the rules ask for; `config` are further members of config.json.
class TinyMaker {
 public:
  TinyMaker(const TinyShape& shape, PlainRules rules, const std::string& config, std::uint64_t seed)
      : s_(shape), engine_(seed) {
    model_.rules = std::move(rules);
    model_.config_json = "{" + config + sizes() + "}";
    model_.config = models::parse_config(model_.config_json, "config.json");
  }

  TinyModel make() {
    const PlainRules& r = model_.rules;
    model_.add(r.embedding + ".weight", {s_.vocabulary, s_.width}, engine_, 0.6);
    if (!model_.config.has_tied_head)
      model_.add(r.head + ".weight", {s_.vocabulary, s_.width}, engine_, 0.4);
    norm(r.last_norm, s_.width);
    for (int layer = 0; layer < s_.layers; ++layer) {
      prefix_ = r.layers + std::to_string(layer) + ".";
      for (const std::string* name :
           {&r.first_norm, &r.second_norm, &r.attention_norm, &r.mlp_norm})
        if (!name->empty()) norm(prefix_ + *name, s_.width);
      for (const std::string* name : {&r.query_norm, &r.key_norm})
        if (!name->empty()) norm(prefix_ + *name, s_.head_size);
      const int queries = s_.heads * s_.head_size, keys = s_.key_heads * s_.head_size;
      if (r.joint.empty()) {
        linear(r.query, s_.width, queries, r.attention_bias);
        linear(r.key, s_.width, keys, r.attention_bias);
        linear(r.value, s_.width, keys, r.attention_bias);
      } else {
        linear(r.joint, s_.width, queries + 2 * keys, r.attention_bias);
      }
      linear(r.output, queries, s_.width, r.output_bias);
      if (!r.joint_mlp.empty()) linear(r.joint_mlp, s_.width, 2 * s_.hidden, r.mlp_bias);
      if (r.joint_mlp.empty() && r.gated) linear(r.gate, s_.width, s_.hidden, r.mlp_bias);
      if (r.joint_mlp.empty()) linear(r.up, s_.width, s_.hidden, r.mlp_bias);
      linear(r.down, s_.hidden, s_.width, r.mlp_bias);
    }
    return std::move(model_);
  }

 private:
  std::string sizes() const {
    const auto member = [](const char* key, int value) {
      return ",\"" + std::string(key) + "\":" + std::to_string(value);
    };
    return member("vocab_size", s_.vocabulary) + member("hidden_size", s_.width) +
           member("num_hidden_layers", s_.layers) + member("num_attention_heads", s_.heads) +
           member("intermediate_size", s_.hidden);
  }
  void norm(const std::string& name, int size) {
    const bool plus_one = model_.rules.norm == PlainRules::Norm::rms_plus_one;
    model_.add(name + ".weight", {size}, engine_, 0.3, plus_one ? 0 : 1);
    if (model_.rules.norm == PlainRules::Norm::layer)
      model_.add(name + ".bias", {size}, engine_, 0.3);
  }
  void linear(const std::string& name, int inputs, int outputs, bool has_bias) {
    model_.add(prefix_ + name + ".weight", {outputs, inputs}, engine_, 0.4);
    if (has_bias) model_.add(prefix_ + name + ".bias", {outputs}, engine_, 0.4);
  }

  TinyShape s_;
  std::mt19937_64 engine_;
  std::string prefix_;
  TinyModel model_;
};

inline TinyModel tiny(const TinyShape& shape, const PlainRules& rules, const std::string& config,
                      std::uint64_t seed) {
  return TinyMaker(shape, rules, config, seed).make();
}

/// Biases of all weights; a stretch of all positions, in the keys of newer files.
inline TinyModel tiny_biased_llama() {
  return tiny({}, {.attention_bias = true, .output_bias = true, .mlp_bias = true, .stretch = 4},
              R"("model_type":"llama","attention_bias":true,"mlp_bias":true,"head_dim":6,)"
              R"("num_key_value_heads":2,"rope_parameters":{"rope_type":"linear","factor":4.0,)"
              R"("rope_theta":500.0},"rms_norm_eps":1e-5,"dtype":"float32")",
              101);
}

/// A window of 5 tokens in all layers.
inline TinyModel tiny_mistral() {
  return tiny({}, {.windows = {5, 5}},
              R"("model_type":"mistral","sliding_window":5,"head_dim":6,"num_key_value_heads":2,)"
              R"("rope_theta":500.0,"rms_norm_eps":1e-5)",
              102);
}

/// Biases of queries, keys and values; windows from the second layer on; three heads to a key head.
inline TinyModel tiny_qwen2() {
  return tiny({.heads = 3, .key_heads = 1, .head_size = 4},
              {.attention_bias = true, .windows = {0, 4}},
              R"("model_type":"qwen2","use_sliding_window":true,"sliding_window":4,)"
              R"("max_window_layers":1,"num_key_value_heads":1,"rope_theta":500.0,)"
              R"("rms_norm_eps":1e-5)",
              103);
}

inline TinyModel tiny_qwen3() {
  return tiny({.heads = 3, .key_heads = 3, .head_size = 2},
              {.query_norm = "self_attn.q_norm", .key_norm = "self_attn.k_norm"},
              R"("model_type":"qwen3","head_dim":2,"num_key_value_heads":3,"sliding_window":4096,)"
              R"("use_sliding_window":false,"max_window_layers":2,)"
              R"("rope_parameters":{"rope_theta":500.0},"rms_norm_eps":1e-5)",
              104);
}

inline TinyModel tiny_gemma() {
  return tiny({},
              {.norm = PlainRules::Norm::rms_plus_one,
               .activation = "gelu_tanh",
               .embedding_scale = std::sqrt(12.0)},
              R"("model_type":"gemma","head_dim":6,"num_key_value_heads":2,"hidden_act":"gelu",)"
              R"("rope_theta":500.0,"rms_norm_eps":1e-5)",
              105);
}

/// Every second layer sees all tokens; a query scale of its own.
inline TinyModel tiny_gemma3() {
  return tiny({.layers = 3, .key_heads = 1},
              {.norm = PlainRules::Norm::rms_plus_one,
               .activation = "gelu_tanh",
               .embedding_scale = std::sqrt(12.0),
               .score_divisor = 9,
               .local_theta = 50,
               .stretch = 8,
               .windows = {3, 0, 3},
               .second_norm = "pre_feedforward_layernorm",
               .attention_norm = "post_attention_layernorm",
               .mlp_norm = "post_feedforward_layernorm",
               .query_norm = "self_attn.q_norm",
               .key_norm = "self_attn.k_norm"},
              R"("model_type":"gemma3_text","head_dim":6,"num_key_value_heads":1,)"
              R"("query_pre_attn_scalar":9,"sliding_window":3,"sliding_window_pattern":2,)"
              R"("rope_local_base_freq":50.0,"rope_theta":500.0,"rope_scaling":)"
              R"({"rope_type":"linear","factor":8.0},"rms_norm_eps":1e-5,)"
              R"("attn_logit_softcapping":null,"final_logit_softcapping":null)",
              106);
}

/// Fused weights, a part of the heads without positions, and the short factors of "longrope".
inline TinyModel tiny_phi3() {
  return tiny({.key_heads = 4, .head_size = 8},
              {.turned = 4,
               .magnitude = std::sqrt(1 + std::log(4.0) / std::log(32.0)),
               .divisors = {1.25, 1.5},
               .windows = {6, 6},
               .joint = "self_attn.qkv_proj",
               .joint_mlp = "mlp.gate_up_proj"},
              R"("model_type":"phi3","sliding_window":6,"num_key_value_heads":4,"head_dim":8,)"
              R"("rope_theta":500.0,"partial_rotary_factor":0.5,"max_position_embeddings":128,)"
              R"("original_max_position_embeddings":32,"rope_scaling":{"type":"longrope",)"
              R"("short_factor":[1.25,1.5],"long_factor":[3.0,9.0]})",
              107);
}

inline TinyModel tiny_gpt_neox(bool parallel) {
  return tiny({.width = 24, .heads = 3, .key_heads = 3, .head_size = 8},
              {.norm = PlainRules::Norm::layer,
               .activation = "gelu",
               .gated = false,
               .parallel = parallel,
               .by_head = true,
               .attention_bias = true,
               .output_bias = true,
               .mlp_bias = true,
               .turned = 2,
               .embedding = "gpt_neox.embed_in",
               .layers = "gpt_neox.layers.",
               .last_norm = "gpt_neox.final_layer_norm",
               .head = "embed_out",
               .output = "attention.dense",
               .up = "mlp.dense_h_to_4h",
               .down = "mlp.dense_4h_to_h",
               .joint = "attention.query_key_value"},
              std::string(R"("model_type":"gpt_neox","rotary_pct":0.25,"rotary_emb_base":500,)") +
                  R"("max_position_embeddings":64,"use_parallel_residual":)" +
                  (parallel ? "true" : "false"),
              parallel ? 108 : 109);
}

inline std::vector<TinyModel> tiny_architectures() {
  return {tiny_biased_llama(), tiny_mistral(),      tiny_qwen2(),
          tiny_qwen3(),        tiny_gemma(),        tiny_gemma3(),
          tiny_phi3(),         tiny_gpt_neox(true), tiny_gpt_neox(false)};
}

}  // namespace rankine
