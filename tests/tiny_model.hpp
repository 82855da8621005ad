// Small models made from a seed: their config.json, their tensors, and a folder that holds both.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "models/checkpoint/config.hpp"

namespace rankine {

struct TinyTensor {
  std::vector<std::int64_t> shape;
  std::vector<float> values;

  std::int64_t size() const {
    std::int64_t product = 1;
    for (const std::int64_t length : shape) product *= length;
    return product;
  }
};

/// What a model computes and how it calls its tensors, written down for the tests alone.
struct PlainRules {
  enum class Norm { rms, rms_plus_one, layer };

  Norm norm = Norm::rms;
  std::string activation = "silu";  ///< or "gelu", "gelu_tanh"
  bool gated = true;
  bool parallel = false;
  bool columns = false;  ///< weights of the layers are stored inputs x outputs
  bool by_head = false;  ///< query, key and value of each head in turn
  bool attention_bias = false, output_bias = false, mlp_bias = false;
  double embedding_scale = 1;
  double score_divisor = 0;  ///< 0: the size of a head; its root divides
  bool rotary = true;
  int turned = 0;  ///< numbers of a head; 0: all
  double theta = 500, local_theta = 0;
  double stretch = 1, magnitude = 1;  ///< of positions and of what is turned
  std::vector<double> divisors = {};  ///< of the frequencies
  std::vector<int> windows = {};      ///< of each layer; 0 for none
  std::string embedding = "model.embed_tokens", positions = {}, layers = "model.layers.",
              last_norm = "model.norm", head = "lm_head";
  std::string first_norm = "input_layernorm", second_norm = "post_attention_layernorm",
              attention_norm = {}, mlp_norm = {}, query_norm = {}, key_norm = {};
  std::string query = "self_attn.q_proj", key = "self_attn.k_proj", value = "self_attn.v_proj",
              output = "self_attn.o_proj", gate = "mlp.gate_proj", up = "mlp.up_proj",
              down = "mlp.down_proj", joint = {}, joint_mlp = {};
};

struct TinyModel {
  PlainRules rules = {};
  std::string config_json;
  models::ModelConfig config;
  std::map<std::string, TinyTensor> tensors;

  /// Normal values of the given spread around `centre`.
  void add(const std::string& name, std::vector<std::int64_t> shape, std::mt19937_64& engine,
           double spread, double centre = 0) {
    TinyTensor tensor{std::move(shape), {}};
    std::normal_distribution<double> normal(centre, spread);
    for (std::int64_t i = 0; i < tensor.size(); ++i)
      tensor.values.push_back(static_cast<float>(normal(engine)));
    tensors[name] = std::move(tensor);
  }

  std::int64_t bytes() const {
    std::int64_t sum = 0;
    for (const auto& [name, tensor] : tensors) sum += 4 * tensor.size();
    return sum;
  }

  /// config.json and model.safetensors, the latter put together here byte by byte.
  void write(const std::filesystem::path& folder) const {
    std::string header = "{";
    std::int64_t begin = 0;
    for (const auto& [name, tensor] : tensors) {
      std::string shape;
      for (const std::int64_t length : tensor.shape) {
        if (!shape.empty()) shape += ",";
        shape += std::to_string(length);
      }
      const std::int64_t end = begin + 4 * tensor.size();
      header += begin > 0 ? ",\"" : "\"";
      header += name;
      header += "\":{\"dtype\":\"F32\",\"shape\":[";
      header += shape;
      header += "],\"data_offsets\":[";
      header += std::to_string(begin);
      header += ",";
      header += std::to_string(end);
      header += "]}";
      begin = end;
    }
    header += "}";
    while (header.size() % 8 != 0) header += ' ';
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "config.json") << config_json;
    std::ofstream file(folder / "model.safetensors", std::ios::binary);
    const std::uint64_t length = header.size();
    file.write(reinterpret_cast<const char*>(&length), sizeof length);
    file << header;
    for (const auto& [name, tensor] : tensors)
      file.write(reinterpret_cast<const char*>(tensor.values.data()),
                 static_cast<std::streamsize>(4 * tensor.values.size()));
  }
};

struct TinyLlamaShape {
  int vocabulary = 37;
  int width = 24;
  int layers = 2;
  int heads = 6;
  int key_heads = 2;
  int head_size = 4;
  int hidden = 19;
  std::string more = {};  ///< further JSON members, each after a comma
  bool tied = false;
};

inline TinyModel tiny_llama(const TinyLlamaShape& s, std::uint64_t seed) {
  TinyModel model;
  model.config_json =
      "{\"model_type\":\"llama\",\"hidden_act\":\"silu\",\"rms_norm_eps\":1e-5,\"rope_theta\":500."
      "0,"
      "\"max_position_embeddings\":128,\"bos_token_id\":1,\"vocab_size\":" +
      std::to_string(s.vocabulary) + ",\"hidden_size\":" + std::to_string(s.width) +
      ",\"num_hidden_layers\":" + std::to_string(s.layers) +
      ",\"num_attention_heads\":" + std::to_string(s.heads) +
      ",\"num_key_value_heads\":" + std::to_string(s.key_heads) +
      ",\"head_dim\":" + std::to_string(s.head_size) +
      ",\"intermediate_size\":" + std::to_string(s.hidden) +
      ",\"tie_word_embeddings\":" + (s.tied ? "true" : "false") + s.more + "}";
  model.config = models::parse_config(model.config_json, "config.json");
  std::mt19937_64 engine(seed);
  const int queries = s.heads * s.head_size, keys = s.key_heads * s.head_size;
  model.add("model.embed_tokens.weight", {s.vocabulary, s.width}, engine, 1);
  if (!s.tied) model.add("lm_head.weight", {s.vocabulary, s.width}, engine, 0.5);
  model.add("model.norm.weight", {s.width}, engine, 0.3, 1);
  for (int layer = 0; layer < s.layers; ++layer) {
    const std::string name = "model.layers." + std::to_string(layer) + ".";
    model.add(name + "input_layernorm.weight", {s.width}, engine, 0.3, 1);
    model.add(name + "self_attn.q_proj.weight", {queries, s.width}, engine, 0.4);
    model.add(name + "self_attn.k_proj.weight", {keys, s.width}, engine, 0.4);
    model.add(name + "self_attn.v_proj.weight", {keys, s.width}, engine, 0.3);
    model.add(name + "self_attn.o_proj.weight", {s.width, queries}, engine, 0.3);
    model.add(name + "post_attention_layernorm.weight", {s.width}, engine, 0.3, 1);
    model.add(name + "mlp.gate_proj.weight", {s.hidden, s.width}, engine, 0.3);
    model.add(name + "mlp.up_proj.weight", {s.hidden, s.width}, engine, 0.3);
    model.add(name + "mlp.down_proj.weight", {s.width, s.hidden}, engine, 0.3);
  }
  return model;
}

inline TinyModel tiny_gpt2(std::uint64_t seed) {
  constexpr int vocabulary = 31, width = 20, layers = 2, context = 64;
  TinyModel model;
  model.config_json =
      "{\"architectures\":[\"GPT2LMHeadModel\"],\"model_type\":\"gpt2\",\"vocab_size\":31,"
      "\"n_embd\":20,\"n_layer\":2,\"n_head\":5,\"n_positions\":64,\"n_inner\":null,"
      "\"activation_function\":\"gelu_new\",\"layer_norm_epsilon\":1e-5}";
  model.config = models::parse_config(model.config_json, "config.json");
  model.rules = {.norm = PlainRules::Norm::layer,
                 .activation = "gelu_tanh",
                 .gated = false,
                 .columns = true,
                 .rotary = false,
                 .embedding = "transformer.wte",
                 .positions = "transformer.wpe",
                 .layers = "transformer.h.",
                 .last_norm = "transformer.ln_f",
                 .first_norm = "ln_1",
                 .second_norm = "ln_2",
                 .output = "attn.c_proj",
                 .up = "mlp.c_fc",
                 .down = "mlp.c_proj",
                 .joint = "attn.c_attn"};
  std::mt19937_64 engine(seed);
  const auto norm = [&](const std::string& name) {
    model.add(name + ".weight", {width}, engine, 0.3, 1);
    model.add(name + ".bias", {width}, engine, 0.3);
  };
  const auto linear = [&](const std::string& name, int inputs, int outputs) {
    model.add(name + ".weight", {inputs, outputs}, engine, 0.3);
    model.add(name + ".bias", {outputs}, engine, 0.3);
  };
  model.add("transformer.wte.weight", {vocabulary, width}, engine, 0.7);
  model.add("transformer.wpe.weight", {context, width}, engine, 0.3);
  norm("transformer.ln_f");
  for (int layer = 0; layer < layers; ++layer) {
    const std::string name = "transformer.h." + std::to_string(layer) + ".";
    norm(name + "ln_1");
    linear(name + "attn.c_attn", width, 3 * width);
    linear(name + "attn.c_proj", width, width);
    norm(name + "ln_2");
    linear(name + "mlp.c_fc", width, 4 * width);
    linear(name + "mlp.c_proj", 4 * width, width);
  }
  return model;
}

}  // namespace rankine
