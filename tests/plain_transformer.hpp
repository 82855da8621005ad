// Llama and GPT-2 written down once more as plain loops in float64, token by token, straight from
// their formulas: the reference of the models room, with which it shares nothing but config.json's
// numbers.
#pragma once

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "tiny_model.hpp"

namespace rankine {

class PlainTransformer {
 public:
  using Row = std::vector<double>;

  /// Sees every token that goes into y = W x, and may change y; empty for nothing. Tokens come in
  /// their order.
  std::function<void(const std::string& name, const Row& x, Row& y)> on_product = {};

  explicit PlainTransformer(const TinyModel& model) : model_(model), c_(model.config) {}

  /// Logits of every position, tokens x vocabulary.
  std::vector<std::vector<double>> logits(const std::vector<std::int64_t>& ids) {
    const bool gpt2 = c_.family == models::Family::gpt2;
    Rows x;
    for (std::size_t t = 0; t < ids.size(); ++t) {
      x.push_back(row(gpt2 ? "transformer.wte.weight" : "model.embed_tokens.weight", ids[t]));
      if (gpt2) x[t] = sum(x[t], row("transformer.wpe.weight", static_cast<std::int64_t>(t)));
    }
    for (std::int64_t layer = 0; layer < c_.layers; ++layer)
      x = gpt2 ? gpt2_layer(x, "transformer.h." + std::to_string(layer) + ".")
               : llama_layer(x, "model.layers." + std::to_string(layer) + ".");
    const std::string head = gpt2               ? "transformer.wte.weight"
                             : c_.has_tied_head ? "model.embed_tokens.weight"
                                                : "lm_head.weight";
    for (Row& token : x) token = times(head, norm(token, gpt2 ? "transformer.ln_f" : "model.norm"));
    return x;
  }

 private:
  using Rows = std::vector<Row>;

  const TinyTensor& tensor(const std::string& name) const { return model_.tensors.at(name); }
  Row row(const std::string& name, std::int64_t i) const {
    const TinyTensor& t = tensor(name);
    return {t.values.begin() + i * t.shape[1], t.values.begin() + (i + 1) * t.shape[1]};
  }
  static Row sum(Row a, const Row& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
  }
  /// W x with W outputs x inputs.
  Row times(const std::string& name, const Row& x) const {
    const TinyTensor& w = tensor(name);
    Row y(static_cast<std::size_t>(w.shape[0]), 0);
    for (std::size_t o = 0; o < y.size(); ++o)
      for (std::size_t i = 0; i < x.size(); ++i)
        y[o] += static_cast<double>(w.values[o * x.size() + i]) * x[i];
    if (on_product) on_product(name, x, y);
    return y;
  }
  /// W^T x + b with W inputs x outputs.
  Row conv1d(const std::string& name, const Row& x) const {
    const TinyTensor &w = tensor(name + ".weight"), &b = tensor(name + ".bias");
    Row y(b.values.begin(), b.values.end());
    for (std::size_t i = 0; i < x.size(); ++i)
      for (std::size_t o = 0; o < y.size(); ++o)
        y[o] += static_cast<double>(w.values[i * y.size() + o]) * x[i];
    return y;
  }
  Row norm(const Row& x, const std::string& name) const {
    const auto n = static_cast<double>(x.size());
    const bool centred = c_.family == models::Family::gpt2;
    double mean = 0, variance = 0;
    if (centred)
      for (const double value : x) mean += value / n;
    for (const double value : x) variance += (value - mean) * (value - mean) / n;
    Row y;
    for (std::size_t i = 0; i < x.size(); ++i) {
      y.push_back((x[i] - mean) / std::sqrt(variance + c_.norm_epsilon) *
                  static_cast<double>(tensor(name + ".weight").values[i]));
      if (centred) y[i] += static_cast<double>(tensor(name + ".bias").values[i]);
    }
    return y;
  }

  /// Angle per position of pair i, with Llama 3's rule (Llama 3.1's reference code) if there is
  /// one.
  double frequency(std::int64_t i) const {
    const double plain = 1 / std::pow(c_.rope_theta, 2.0 * static_cast<double>(i) /
                                                         static_cast<double>(c_.head_size));
    if (!c_.rope_scaling) return plain;
    const auto& s = *c_.rope_scaling;
    const double wavelength = 2 * std::acos(-1.0) / plain;
    if (wavelength < s.original_context / s.high_freq_factor) return plain;
    if (wavelength > s.original_context / s.low_freq_factor) return plain / s.factor;
    const double smooth = (s.original_context / wavelength - s.low_freq_factor) /
                          (s.high_freq_factor - s.low_freq_factor);
    return (1 - smooth) * plain / s.factor + smooth * plain;
  }
  void turn(Row& x, std::size_t position) const {
    const auto size = static_cast<std::size_t>(c_.head_size);
    const bool adjacent = c_.rope_pairs == models::RopePairs::adjacent;
    for (std::size_t head = 0; head < x.size(); head += size)
      for (std::size_t i = 0; i < size / 2; ++i) {
        double& a = x[head + (adjacent ? 2 * i : i)];
        double& b = x[head + (adjacent ? 2 * i + 1 : i + size / 2)];
        const double angle =
            static_cast<double>(position) * frequency(static_cast<std::int64_t>(i));
        const double turned = a * std::cos(angle) - b * std::sin(angle);
        b = b * std::cos(angle) + a * std::sin(angle);
        a = turned;
      }
  }

  Rows attend(const Rows& q, const Rows& k, const Rows& v) const {
    const auto size = static_cast<std::size_t>(c_.head_size);
    const std::size_t group = static_cast<std::size_t>(c_.heads / c_.key_heads);
    Rows out(q.size(), Row(q[0].size(), 0));
    for (std::size_t t = 0; t < q.size(); ++t)
      for (std::size_t h = 0; h < static_cast<std::size_t>(c_.heads); ++h) {
        const std::size_t from = h / group * size;
        Row weight(t + 1, 0);
        double total = 0;
        for (std::size_t s = 0; s <= t; ++s) {
          for (std::size_t i = 0; i < size; ++i) weight[s] += q[t][h * size + i] * k[s][from + i];
          weight[s] = std::exp(weight[s] / std::sqrt(static_cast<double>(size)));
          total += weight[s];
        }
        for (std::size_t s = 0; s <= t; ++s)
          for (std::size_t i = 0; i < size; ++i)
            out[t][h * size + i] += weight[s] / total * v[s][from + i];
      }
    return out;
  }

  Rows llama_layer(Rows x, const std::string& name) const {
    Rows q, k, v;
    for (std::size_t t = 0; t < x.size(); ++t) {
      const Row n = norm(x[t], name + "input_layernorm");
      q.push_back(times(name + "self_attn.q_proj.weight", n));
      k.push_back(times(name + "self_attn.k_proj.weight", n));
      v.push_back(times(name + "self_attn.v_proj.weight", n));
      turn(q[t], t);
      turn(k[t], t);
    }
    const Rows heads = attend(q, k, v);
    for (std::size_t t = 0; t < x.size(); ++t) {
      x[t] = sum(x[t], times(name + "self_attn.o_proj.weight", heads[t]));
      const Row n = norm(x[t], name + "post_attention_layernorm");
      Row gate = times(name + "mlp.gate_proj.weight", n);
      const Row up = times(name + "mlp.up_proj.weight", n);
      for (std::size_t i = 0; i < gate.size(); ++i) gate[i] *= up[i] / (1 + std::exp(-gate[i]));
      x[t] = sum(x[t], times(name + "mlp.down_proj.weight", gate));
    }
    return x;
  }

  Rows gpt2_layer(Rows x, const std::string& name) const {
    const auto width = static_cast<std::ptrdiff_t>(c_.width);
    Rows q, k, v;
    for (const Row& token : x) {
      const Row all = conv1d(name + "attn.c_attn", norm(token, name + "ln_1"));
      q.emplace_back(all.begin(), all.begin() + width);
      k.emplace_back(all.begin() + width, all.begin() + 2 * width);
      v.emplace_back(all.begin() + 2 * width, all.end());
    }
    const Rows heads = attend(q, k, v);
    for (std::size_t t = 0; t < x.size(); ++t) {
      x[t] = sum(x[t], conv1d(name + "attn.c_proj", heads[t]));
      Row inner = conv1d(name + "mlp.c_fc", norm(x[t], name + "ln_2"));
      for (double& u : inner)
        u = 0.5 * u * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (u + 0.044715 * u * u * u)));
      x[t] = sum(x[t], conv1d(name + "mlp.c_proj", inner));
    }
    return x;
  }

  const TinyModel& model_;
  const models::ModelConfig& c_;
};

}  // namespace rankine
