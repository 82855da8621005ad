// The cheap passes of a transformer layer as plain loops, forward and backward: each reads its
// operands once, where a chain of tensor operations would write and read several copies.
//
// Matrices are row-major, one token a row; OpenMP threads share the tokens.
#pragma once

#include <cstdint>
#include <vector>

#include "models/checkpoint/config.hpp"

namespace rankine::models {

/// y = w x / sqrt(mean(x^2) + epsilon) (Zhang and Sennrich, arXiv:1910.07467); keeps the inverse
/// roots for the backward pass.
template <class T>
void rms_norm(const T* x, const T* w, double epsilon, std::int64_t tokens, std::int64_t width, T* y,
              T* inverse_root);
/// dx, and dw summed over the tokens.
template <class T>
void rms_norm_backward(const T* x, const T* w, const T* inverse_root, const T* dy,
                       std::int64_t tokens, std::int64_t width, T* dx, T* dw);

/// SiLU(gate) up = gate up / (1 + exp(-gate)) (Shazeer, arXiv:2002.05202).
template <class T>
void swiglu(const T* gate, const T* up, std::int64_t size, T* y);
template <class T>
void swiglu_backward(const T* gate, const T* up, const T* dy, std::int64_t size, T* dgate, T* dup);

/// Cosines and sines of rotary position embeddings (Su et al., arXiv:2104.09864) for consecutive
/// positions: tokens x pairs each, a pair being two numbers of a head that are turned. Computed in
/// float64.
template <class T>
struct RotaryTable {
  std::int64_t pairs = 0;
  std::vector<T> cosines = {};
  std::vector<T> sines = {};
};
template <class T>
RotaryTable<T> rotary_table(const Rotary& rotary, std::int64_t first_position, std::int64_t tokens);

/// Angle per position of each pair of a head.
std::vector<double> rotary_frequencies(const Rotary& rotary);

enum class Turn { forward, back };

/// Turns the pairs of every head of x (tokens x heads head_size), which are its first numbers;
/// `back` is the gradient.
template <class T>
void rotate(const T* x, const RotaryTable<T>& table, RopePairs pairs, Turn turn,
            std::int64_t tokens, std::int64_t heads, std::int64_t head_size, T* y);

}  // namespace rankine::models
