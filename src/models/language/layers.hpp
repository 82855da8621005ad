// The operations between the weights of a transformer layer, differentiable, on row-major
// activations (tokens x features).
#pragma once

#include <torch/types.h>

#include "models/checkpoint/config.hpp"
#include "models/language/attention_blocks.hpp"

namespace rankine::models {

/// w x / sqrt(mean(x^2) + epsilon) in every row.
torch::Tensor rms_norm(const torch::Tensor& x, const torch::Tensor& w, double epsilon);

/// f(x), element by element.
torch::Tensor activated(Activation f, const torch::Tensor& x);

/// f(gate) up, element by element.
torch::Tensor gated(Activation f, const torch::Tensor& gate, const torch::Tensor& up);

/// Rotary position embedding of every head of x (tokens x heads head_size) at consecutive
/// positions from `first_position` on. `rotary` outlives the graph.
torch::Tensor rotate(const torch::Tensor& x, const Rotary& rotary, std::int64_t head_size,
                     std::int64_t first_position);

/// softmax(scale q k^T) v where a query sees the keys of its window up to its own position; the
/// queries are the last positions of the keys' sequence (models/attention_blocks.hpp).
torch::Tensor causal_attention(const torch::Tensor& q, const torch::Tensor& k,
                               const torch::Tensor& v, const AttentionHeads& heads);

}  // namespace rankine::models
