#include "models/checkpoint/architecture.hpp"

#include <algorithm>

namespace rankine::models {

namespace {

CheckpointNames llama_names() {
  return {.layer_prefix = "model.layers.",
          .embedding = "model.embed_tokens",
          .first_norm = "input_layernorm",
          .query = "self_attn.q_proj",
          .key = "self_attn.k_proj",
          .value = "self_attn.v_proj",
          .attention_output = "self_attn.o_proj",
          .second_norm = "post_attention_layernorm",
          .gate = "mlp.gate_proj",
          .up = "mlp.up_proj",
          .down = "mlp.down_proj",
          .last_norm = "model.norm",
          .head = "lm_head"};
}

CheckpointNames with_head_norms(CheckpointNames names) {
  names.query_norm = "self_attn.q_norm";
  names.key_norm = "self_attn.k_norm";
  return names;
}

CheckpointNames gemma3_names() {
  CheckpointNames names = with_head_norms(llama_names());
  names.attention_output_norm = "post_attention_layernorm";
  names.second_norm = "pre_feedforward_layernorm";
  names.mlp_output_norm = "post_feedforward_layernorm";
  return names;
}

CheckpointNames phi3_names() {
  CheckpointNames names = llama_names();
  names.query = names.key = names.value = names.gate = names.up = {};
  names.joint_attention = "self_attn.qkv_proj";
  names.joint_mlp = "mlp.gate_up_proj";
  return names;
}

CheckpointNames gpt_neox_names() {
  return {.layer_prefix = "gpt_neox.layers.",
          .embedding = "gpt_neox.embed_in",
          .first_norm = "input_layernorm",
          .joint_attention = "attention.query_key_value",
          .attention_output = "attention.dense",
          .second_norm = "post_attention_layernorm",
          .up = "mlp.dense_h_to_4h",
          .down = "mlp.dense_4h_to_h",
          .last_norm = "gpt_neox.final_layer_norm",
          .head = "embed_out"};
}

CheckpointNames gpt2_names() {
  return {.layer_prefix = "transformer.h.",
          .embedding = "transformer.wte",
          .positions = "transformer.wpe",
          .first_norm = "ln_1",
          .joint_attention = "attn.c_attn",
          .attention_output = "attn.c_proj",
          .second_norm = "ln_2",
          .up = "mlp.c_fc",
          .down = "mlp.c_proj",
          .last_norm = "transformer.ln_f",
          .head = "lm_head"};
}

/// Defaults are those of the configuration classes of Hugging Face's software, version 4.57.
std::vector<Architecture> all_architectures() {
  return {
      {.model_type = "llama",
       .class_name = "LlamaForCausalLM",
       .keys = {.mlp_bias = "mlp_bias"},
       .names = llama_names(),
       .has_output_bias = true},
      {.model_type = "mistral",
       .class_name = "MistralForCausalLM",
       .keys = {.attention_bias = nullptr},
       .defaults = {.key_heads = 8, .context = 131072, .window = 4096},
       .names = llama_names(),
       .window_rule = WindowRule::every_layer,
       .fixed = {{"attention_bias", "false"}, {"mlp_bias", "false"}}},
      {.model_type = "qwen2",
       .class_name = "Qwen2ForCausalLM",
       .keys = {.attention_bias = nullptr},
       .defaults = {.key_heads = 32, .context = 32768, .window = 4096, .attention_bias = true},
       .names = llama_names(),
       .window_rule = WindowRule::from_some_layer,
       .fixed = {{"attention_bias", "true"}, {"use_mrope", "false"}}},
      {.model_type = "qwen3",
       .class_name = "Qwen3ForCausalLM",
       .defaults = {.key_heads = 32, .head_size = 128, .context = 32768, .window = 4096},
       .names = with_head_norms(llama_names()),
       .has_output_bias = true,
       .window_rule = WindowRule::from_some_layer},
      {.model_type = "gemma",
       .class_name = "GemmaForCausalLM",
       .keys = {.activation = "hidden_activation"},
       .defaults = {.key_heads = 16,
                    .head_size = 256,
                    .context = 8192,
                    .activation = Activation::gelu_tanh,
                    .is_tied = true},
       .names = llama_names(),
       .norm = NormKind::rms_plus_one,
       .has_output_bias = true,
       .scales_embedding = true,
       .fixed = {{"use_bidirectional_attention", "false"}},
       // Says "gelu" in older files, where the models' own software has always had the tanh form.
       .harmless = {"hidden_act"}},
      {.model_type = "gemma3_text",
       .class_name = "Gemma3ForCausalLM",
       .keys = {.activation = "hidden_activation",
                .query_scalar = "query_pre_attn_scalar",
                .local_theta = "rope_local_base_freq"},
       .defaults = {.key_heads = 4,
                    .head_size = 256,
                    .context = 131072,
                    .theta = 1000000,
                    .query_scalar = 256,
                    .window = 4096,
                    .activation = Activation::gelu_tanh,
                    .is_tied = true},
       .names = gemma3_names(),
       .norm = NormKind::rms_plus_one,
       .has_output_bias = true,
       .scales_embedding = true,
       .window_rule = WindowRule::but_every_nth,
       .fixed = {{"use_bidirectional_attention", "false"}},
       .harmless = {"hidden_act"}},
      {.model_type = "phi3",
       .class_name = "Phi3ForCausalLM",
       .keys = {.attention_bias = nullptr},
       .defaults = {.context = 4096, .norm_epsilon = 1e-5},
       .names = phi3_names(),
       .joint_attention = Joint::side_by_side,
       .window_rule = WindowRule::every_layer,
       .fixed = {{"attention_bias", "false"},
                 {"mlp_bias", "false"},
                 {"lm_head_bias", "false"},
                 {"full_attn_mod", "1"},
                 {"interpolate_factor", "1"}},
       .harmless = {"original_max_position_embeddings"}},
      {.model_type = "gpt_neox",
       .class_name = "GPTNeoXForCausalLM",
       .keys = {.key_heads = nullptr,
                .head_size = nullptr,
                .norm_epsilon = "layer_norm_eps",
                .rope_theta = "rotary_emb_base",
                .turned_part = "rotary_pct",
                .parallel = "use_parallel_residual"},
       .defaults = {.norm_epsilon = 1e-5,
                    .turned_part = 0.25,
                    .activation = Activation::gelu,
                    .attention_bias = true},
       .names = gpt_neox_names(),
       .norm = NormKind::layer,
       .joint_attention = Joint::by_head,
       .is_gated = false,
       .has_output_bias = true,
       .has_mlp_bias = true},
      {.model_type = "gpt2",
       .class_name = "GPT2LMHeadModel",
       .keys = {.width = "n_embd",
                .layers = "n_layer",
                .heads = "n_head",
                .key_heads = nullptr,
                .head_size = nullptr,
                .hidden = "n_inner",
                .context = "n_positions",
                .norm_epsilon = "layer_norm_epsilon",
                .activation = "activation_function",
                .attention_bias = nullptr},
       .defaults = {.hidden = 4,
                    .context = 1024,
                    .norm_epsilon = 1e-5,
                    .activation = Activation::gelu_tanh,
                    .attention_bias = true,
                    .is_tied = true},
       .names = gpt2_names(),
       .norm = NormKind::layer,
       .joint_attention = Joint::side_by_side,
       .stores_columns = true,
       .has_rotary = false,
       .is_gated = false,
       .has_output_bias = true,
       .has_mlp_bias = true,
       .fixed = {{"scale_attn_weights", "true"}, {"scale_attn_by_inverse_layer_idx", "false"}}}};
}

}  // namespace

std::span<const Architecture> architectures() {
  static const std::vector<Architecture> all = all_architectures();
  return all;
}

const Architecture* find_architecture(std::string_view name) {
  const auto found = std::ranges::find_if(architectures(), [&](const Architecture& row) {
    return name == row.model_type || name == row.class_name;
  });
  return found == architectures().end() ? nullptr : &*found;
}

}  // namespace rankine::models
