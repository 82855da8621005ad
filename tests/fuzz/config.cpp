// config.json of language models.
#include "models/checkpoint/config.hpp"

#include "targets.hpp"

namespace rankine::fuzz {

namespace fs = std::filesystem;

namespace {

void read_model_config(const std::string& text, const fs::path& folder) {
  write_file(folder / "config.json", text);
  models::read_config(folder).parameters();
}

}  // namespace

Target model_configs() {
  return {
      .name = "config",
      .seeds =
          {project_file("inputs/models/stories260K/config.json"),
           R"({"architectures":["GPT2LMHeadModel"],"model_type":"gpt2","vocab_size":31,"n_embd":20,"n_layer":2,)"
           R"("n_head":5,"n_positions":64,"n_inner":null,"activation_function":"gelu_new","layer_norm_epsilon":1e-5,)"
           R"("bos_token_id":30,"eos_token_id":30,"attn_pdrop":0.1,"scale_attn_weights":true})",
           R"({"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_act":"silu","rms_norm_eps":1e-5,)"
           R"("rope_theta":500000.0,"rope_scaling":{"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,)"
           R"("high_freq_factor":4.0,"original_max_position_embeddings":64},"max_position_embeddings":128,)"
           R"("bos_token_id":1,"eos_token_id":[2,3],"vocab_size":37,"hidden_size":24,"num_hidden_layers":2,)"
           R"("num_attention_heads":6,"num_key_value_heads":2,"head_dim":4,"intermediate_size":19,)"
           R"("attention_bias":false,"mlp_bias":false,"tie_word_embeddings":true,"torch_dtype":"bfloat16"})",
           R"({"model_type":"mistral","hidden_act":"silu","rms_norm_eps":1e-6,"sliding_window":null,)"
           R"("rope_parameters":{"rope_theta":10000.0,"rope_type":"default"},"max_position_embeddings":32,)"
           R"("vocab_size":11,"hidden_size":8,"num_hidden_layers":1,"num_attention_heads":2,"num_key_value_heads":1,)"
           R"("intermediate_size":12,"tie_word_embeddings":false})",
           R"({"model_type":"gemma3_text","layer_types":["sliding_attention","full_attention"],"sliding_window":3,)"
           R"("query_pre_attn_scalar":9,"rope_local_base_freq":50.0,"rope_parameters":{"full_attention":)"
           R"({"rope_type":"linear","factor":8.0},"sliding_attention":{"rope_theta":50.0}},"head_dim":6,)"
           R"("num_key_value_heads":1,"vocab_size":29,"hidden_size":12,"num_hidden_layers":2,)"
           R"("num_attention_heads":4,"intermediate_size":10})",
           R"({"model_type":"phi3","partial_rotary_factor":0.5,"original_max_position_embeddings":32,)"
           R"("rope_scaling":{"type":"longrope","short_factor":[1.25,1.5],"long_factor":[3.0,9.0]},)"
           R"("max_position_embeddings":128,"vocab_size":29,"hidden_size":32,"num_hidden_layers":2,)"
           R"("num_attention_heads":4,"intermediate_size":10})",
           R"({"model_type":"gpt_neox","rotary_pct":0.25,"use_parallel_residual":false,"vocab_size":29,)"
           R"("hidden_size":32,"num_hidden_layers":2,"num_attention_heads":4,"intermediate_size":10})"},
      .words = {"\"sliding_window\":16,",
                "\"rope_theta\":",
                "\"rope_scaling\":{},",
                "\"partial_rotary_factor\":0.5,",
                "\"rope_type\":\"yarn\",",
                "\"type\":\"linear\",",
                "\"quantization_config\":{\"bits\":4},",
                "\"hidden_act\":\"gelu\",",
                "\"rope_pairs\":\"adjacent\",",
                "\"head_dim\":0,",
                "\"num_hidden_layers\":1000000000,",
                "\"vocab_size\":4294967297,",
                "\"bos_token_id\":4294967297,",
                "\"model_type\":\"gpt2\",",
                "\"n_inner\":1,",
                "\"model_type\":\"qwen2\",",
                "\"max_window_layers\":1,",
                "\"layer_types\":[],",
                "\"short_factor\":[1.0],",
                "\"sliding_window_pattern\":0,",
                "\"attention_bias\":true,",
                "\"use_sliding_window\":true,"},
      .read = read_model_config};
}

}  // namespace rankine::fuzz
