#include "models/language/elementwise.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace rankine::models {

template <class T>
void rms_norm(const T* x, const T* w, double epsilon, std::int64_t tokens, std::int64_t width, T* y,
              T* inverse_root) {
#pragma omp parallel for
  for (std::int64_t t = 0; t < tokens; ++t) {
    const T* row = x + t * width;
    double squares = 0;
#pragma omp simd reduction(+ : squares)
    for (std::int64_t i = 0; i < width; ++i)
      squares += static_cast<double>(row[i]) * static_cast<double>(row[i]);
    const T scale = static_cast<T>(1 / std::sqrt(squares / static_cast<double>(width) + epsilon));
    inverse_root[t] = scale;
    for (std::int64_t i = 0; i < width; ++i) y[t * width + i] = w[i] * (row[i] * scale);
  }
}

template <class T>
void rms_norm_backward(const T* x, const T* w, const T* inverse_root, const T* dy,
                       std::int64_t tokens, std::int64_t width, T* dx, T* dw) {
  for (std::int64_t i = 0; i < width; ++i) dw[i] = 0;
  for (std::int64_t t = 0; t < tokens; ++t) {
    const T *row = x + t * width, *gradient = dy + t * width;
    const T scale = inverse_root[t];
    T dot = 0;
    for (std::int64_t i = 0; i < width; ++i) {
      dot += w[i] * gradient[i] * row[i];
      dw[i] += gradient[i] * row[i] * scale;
    }
    const T along = dot * scale * scale * scale / static_cast<T>(width);
    for (std::int64_t i = 0; i < width; ++i)
      dx[t * width + i] = w[i] * gradient[i] * scale - along * row[i];
  }
}

template <class T>
void swiglu(const T* gate, const T* up, std::int64_t size, T* y) {
#pragma omp parallel for simd
  for (std::int64_t i = 0; i < size; ++i) y[i] = gate[i] * up[i] / (1 + std::exp(-gate[i]));
}

template <class T>
void swiglu_backward(const T* gate, const T* up, const T* dy, std::int64_t size, T* dgate, T* dup) {
#pragma omp parallel for simd
  for (std::int64_t i = 0; i < size; ++i) {
    const T sigmoid = 1 / (1 + std::exp(-gate[i]));
    dup[i] = dy[i] * gate[i] * sigmoid;
    dgate[i] = dy[i] * up[i] * sigmoid * (1 + gate[i] * (1 - sigmoid));
  }
}

std::vector<double> rotary_frequencies(const Rotary& rotary) {
  std::vector<double> frequencies;
  for (std::int64_t i = 0; i < rotary.turned; i += 2) {
    double frequency =
        std::pow(rotary.theta, -static_cast<double>(i) / static_cast<double>(rotary.turned)) /
        rotary.stretch;
    if (!rotary.divisors.empty()) frequency /= rotary.divisors[static_cast<std::size_t>(i / 2)];
    if (const auto& scaling = rotary.scaling) {
      // Turns within the original context decide: few are stretched, many stay, between is blended.
      const double turns = scaling->original_context * frequency / (2 * std::numbers::pi);
      const double blend = std::clamp((turns - scaling->low_freq_factor) /
                                          (scaling->high_freq_factor - scaling->low_freq_factor),
                                      0.0, 1.0);
      frequency *= blend + (1 - blend) / scaling->factor;
    }
    frequencies.push_back(frequency);
  }
  return frequencies;
}

template <class T>
RotaryTable<T> rotary_table(const Rotary& rotary, std::int64_t first_position,
                            std::int64_t tokens) {
  const std::vector<double> frequencies = rotary_frequencies(rotary);
  RotaryTable<T> table{.pairs = rotary.turned / 2};
  for (std::int64_t t = 0; t < tokens; ++t)
    for (const double frequency : frequencies) {
      const double angle = static_cast<double>(first_position + t) * frequency;
      table.cosines.push_back(static_cast<T>(rotary.magnitude * std::cos(angle)));
      table.sines.push_back(static_cast<T>(rotary.magnitude * std::sin(angle)));
    }
  return table;
}

template <class T>
void rotate(const T* x, const RotaryTable<T>& table, RopePairs pairs, Turn turn,
            std::int64_t tokens, std::int64_t heads, std::int64_t head_size, T* y) {
  const std::int64_t count = table.pairs;
  const std::int64_t step = pairs == RopePairs::adjacent ? 2 : 1;
  const std::int64_t partner = pairs == RopePairs::adjacent ? 1 : count;
  const T sign = turn == Turn::forward ? T(1) : T(-1);
#pragma omp parallel for
  for (std::int64_t t = 0; t < tokens; ++t)
    for (std::int64_t h = 0; h < heads; ++h) {
      const T *cosine = table.cosines.data() + t * count, *sine = table.sines.data() + t * count;
      const T* in = x + (t * heads + h) * head_size;
      T* out = y + (t * heads + h) * head_size;
      for (std::int64_t i = 0; i < count; ++i) {
        const T a = in[step * i], b = in[step * i + partner];
        out[step * i] = a * cosine[i] - sign * b * sine[i];
        out[step * i + partner] = b * cosine[i] + sign * a * sine[i];
      }
      std::copy(in + 2 * count, in + head_size, out + 2 * count);
    }
}

#define RANKINE_INSTANTIATE(T)                                                               \
  template void rms_norm<T>(const T*, const T*, double, std::int64_t, std::int64_t, T*, T*); \
  template void rms_norm_backward<T>(const T*, const T*, const T*, const T*, std::int64_t,   \
                                     std::int64_t, T*, T*);                                  \
  template void swiglu<T>(const T*, const T*, std::int64_t, T*);                             \
  template void swiglu_backward<T>(const T*, const T*, const T*, std::int64_t, T*, T*);      \
  template RotaryTable<T> rotary_table<T>(const Rotary&, std::int64_t, std::int64_t);        \
  template void rotate<T>(const T*, const RotaryTable<T>&, RopePairs, Turn, std::int64_t,    \
                          std::int64_t, std::int64_t, T*);
RANKINE_INSTANTIATE(float)
RANKINE_INSTANTIATE(double)
#undef RANKINE_INSTANTIATE

}  // namespace rankine::models
