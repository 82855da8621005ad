// Transformers written down once more as plain loops in float64, token by token, straight from
// their formulas: the reference of the models room, with which it shares nothing but config.json's
// sizes.
#pragma once

#include <algorithm>
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

  explicit PlainTransformer(const TinyModel& model)
      : model_(model), c_(model.config), r_(model.rules) {}

  /// Logits of every position, tokens x vocabulary.
  std::vector<std::vector<double>> logits(const std::vector<std::int64_t>& ids) {
    Rows x;
    for (std::size_t t = 0; t < ids.size(); ++t) {
      x.push_back(row(r_.embedding, ids[t]));
      for (double& value : x[t]) value *= r_.embedding_scale;
      if (!r_.positions.empty()) x[t] = sum(x[t], row(r_.positions, static_cast<std::int64_t>(t)));
    }
    for (std::int64_t layer = 0; layer < c_.layers; ++layer)
      x = layer_of(x, static_cast<std::size_t>(layer), r_.layers + std::to_string(layer) + ".");
    const std::string head = c_.has_tied_head ? r_.embedding : r_.head;
    for (Row& token : x) token = times(head, norm(token, r_.last_norm));
    return x;
  }

 private:
  using Rows = std::vector<Row>;

  const TinyTensor& tensor(const std::string& name) const { return model_.tensors.at(name); }
  Row row(const std::string& name, std::int64_t i) const {
    const TinyTensor& t = tensor(name + ".weight");
    return {t.values.begin() + i * t.shape[1], t.values.begin() + (i + 1) * t.shape[1]};
  }
  static Row sum(Row a, const Row& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
  }
  /// W x + b, with W as it is stored.
  Row times(const std::string& name, const Row& x, bool columns = false) const {
    const TinyTensor& w = tensor(name + ".weight");
    Row y(static_cast<std::size_t>(w.shape[columns ? 1 : 0]), 0);
    for (std::size_t o = 0; o < y.size(); ++o)
      for (std::size_t i = 0; i < x.size(); ++i)
        y[o] += static_cast<double>(w.values[columns ? i * y.size() + o : o * x.size() + i]) * x[i];
    if (on_product) on_product(name + ".weight", x, y);
    const auto bias = model_.tensors.find(name + ".bias");
    if (bias != model_.tensors.end())
      for (std::size_t o = 0; o < y.size(); ++o)
        y[o] += static_cast<double>(bias->second.values[o]);
    return y;
  }
  Row norm(const Row& x, const std::string& name) const {
    const auto n = static_cast<double>(x.size());
    const bool centred = r_.norm == PlainRules::Norm::layer;
    double mean = 0, variance = 0;
    if (centred)
      for (const double value : x) mean += value / n;
    for (const double value : x) variance += (value - mean) * (value - mean) / n;
    Row y;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double w = static_cast<double>(tensor(name + ".weight").values[i]) +
                       (r_.norm == PlainRules::Norm::rms_plus_one ? 1 : 0);
      y.push_back((x[i] - mean) / std::sqrt(variance + c_.norm_epsilon) * w);
      if (centred) y[i] += static_cast<double>(tensor(name + ".bias").values[i]);
    }
    return y;
  }
  double activate(double u) const {
    if (r_.activation == "silu") return u / (1 + std::exp(-u));
    if (r_.activation == "gelu") return 0.5 * u * (1 + std::erf(u / std::sqrt(2.0)));
    return 0.5 * u * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (u + 0.044715 * u * u * u)));
  }

  std::size_t turned() const {
    return static_cast<std::size_t>(r_.turned > 0 ? r_.turned : c_.head_size);
  }
  /// Angle per position of pair i, with Llama 3's rule (Llama 3.1's reference code) if there is
  /// one.
  double frequency(std::size_t i, bool local) const {
    const double exponent = 2.0 * static_cast<double>(i) / static_cast<double>(turned());
    if (local && r_.local_theta > 0) return 1 / std::pow(r_.local_theta, exponent);
    double plain = 1 / std::pow(r_.theta, exponent) / r_.stretch;
    if (!r_.divisors.empty()) plain /= r_.divisors[i];
    if (!c_.rotary.scaling) return plain;
    const auto& s = *c_.rotary.scaling;
    const double wavelength = 2 * std::acos(-1.0) / plain;
    if (wavelength < s.original_context / s.high_freq_factor) return plain;
    if (wavelength > s.original_context / s.low_freq_factor) return plain / s.factor;
    const double smooth = (s.original_context / wavelength - s.low_freq_factor) /
                          (s.high_freq_factor - s.low_freq_factor);
    return (1 - smooth) * plain / s.factor + smooth * plain;
  }
  void turn(Row& x, std::size_t position, bool local) const {
    const auto size = static_cast<std::size_t>(c_.head_size);
    const bool adjacent = c_.rotary.pairs == models::RopePairs::adjacent;
    for (std::size_t head = 0; head < x.size(); head += size)
      for (std::size_t i = 0; i < turned() / 2; ++i) {
        double& a = x[head + (adjacent ? 2 * i : i)];
        double& b = x[head + (adjacent ? 2 * i + 1 : i + turned() / 2)];
        const double angle = static_cast<double>(position) * frequency(i, local);
        const double before = a;
        a = r_.magnitude * (a * std::cos(angle) - b * std::sin(angle));
        b = r_.magnitude * (b * std::cos(angle) + before * std::sin(angle));
      }
  }
  /// Every head of x through its norm and its positions.
  void place(Row& x, const std::string& name, std::size_t position, bool local) const {
    const auto size = static_cast<std::ptrdiff_t>(c_.head_size);
    if (!name.empty())
      for (auto head = x.begin(); head != x.end(); head += size) {
        const Row normed = norm(Row(head, head + size), name);
        std::copy(normed.begin(), normed.end(), head);
      }
    if (r_.rotary) turn(x, position, local);
  }

  Rows attend(const Rows& q, const Rows& k, const Rows& v, std::size_t window) const {
    const auto size = static_cast<std::size_t>(c_.head_size);
    const std::size_t group = static_cast<std::size_t>(c_.heads / c_.key_heads);
    const double divisor = r_.score_divisor > 0 ? r_.score_divisor : static_cast<double>(size);
    Rows out(q.size(), Row(q[0].size(), 0));
    for (std::size_t t = 0; t < q.size(); ++t)
      for (std::size_t h = 0; h < static_cast<std::size_t>(c_.heads); ++h) {
        const std::size_t from = h / group * size;
        const std::size_t first = window > 0 && t + 1 > window ? t + 1 - window : 0;
        Row weight(t + 1, 0);
        double total = 0;
        for (std::size_t s = first; s <= t; ++s) {
          for (std::size_t i = 0; i < size; ++i) weight[s] += q[t][h * size + i] * k[s][from + i];
          weight[s] = std::exp(weight[s] / std::sqrt(divisor));
          total += weight[s];
        }
        for (std::size_t s = first; s <= t; ++s)
          for (std::size_t i = 0; i < size; ++i)
            out[t][h * size + i] += weight[s] / total * v[s][from + i];
      }
    return out;
  }

  /// Query, key and value of a token.
  std::vector<Row> project(const Row& x, const std::string& name) const {
    if (r_.joint.empty())
      return {times(name + r_.query, x), times(name + r_.key, x), times(name + r_.value, x)};
    const Row all = times(name + r_.joint, x, r_.columns);
    const auto size = static_cast<std::size_t>(c_.head_size);
    const auto heads = static_cast<std::size_t>(c_.heads),
               keys = static_cast<std::size_t>(c_.key_heads);
    std::vector<Row> parts(3);
    for (std::size_t head = 0; head < heads + 2 * keys; ++head) {
      const std::size_t part = r_.by_head            ? head % 3
                               : head < heads        ? 0
                               : head < heads + keys ? 1
                                                     : 2;
      for (std::size_t i = 0; i < size; ++i) parts[part].push_back(all[head * size + i]);
    }
    return parts;
  }

  Row mlp(const Row& x, const std::string& name) const {
    Row gate, up;
    if (!r_.joint_mlp.empty()) {
      const Row all = times(name + r_.joint_mlp, x);
      const auto half = static_cast<std::ptrdiff_t>(all.size() / 2);
      gate.assign(all.begin(), all.begin() + half);
      up.assign(all.begin() + half, all.end());
    } else {
      if (r_.gated) gate = times(name + r_.gate, x);
      up = times(name + r_.up, x, r_.columns);
    }
    for (std::size_t i = 0; i < up.size(); ++i)
      up[i] = r_.gated ? activate(gate[i]) * up[i] : activate(up[i]);
    return times(name + r_.down, up, r_.columns);
  }

  Rows layer_of(Rows x, std::size_t layer, const std::string& name) const {
    const std::size_t window = r_.windows.empty() ? 0 : static_cast<std::size_t>(r_.windows[layer]);
    const auto with_prefix = [&](const std::string& norm) {
      return norm.empty() ? norm : name + norm;
    };
    Rows q, k, v;
    for (std::size_t t = 0; t < x.size(); ++t) {
      std::vector<Row> parts = project(norm(x[t], name + r_.first_norm), name);
      place(parts[0], with_prefix(r_.query_norm), t, window > 0);
      place(parts[1], with_prefix(r_.key_norm), t, window > 0);
      q.push_back(parts[0]);
      k.push_back(parts[1]);
      v.push_back(parts[2]);
    }
    const Rows heads = attend(q, k, v, window);
    for (std::size_t t = 0; t < x.size(); ++t) {
      const Row before = x[t];
      Row more = times(name + r_.output, heads[t], r_.columns);
      if (!r_.attention_norm.empty()) more = norm(more, name + r_.attention_norm);
      x[t] = sum(x[t], more);
      more = mlp(norm(r_.parallel ? before : x[t], name + r_.second_norm), name);
      if (!r_.mlp_norm.empty()) more = norm(more, name + r_.mlp_norm);
      x[t] = sum(x[t], more);
    }
    return x;
  }

  const TinyModel& model_;
  const models::ModelConfig& c_;
  const PlainRules& r_;
};

}  // namespace rankine
