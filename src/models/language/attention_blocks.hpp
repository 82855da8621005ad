// Causal attention in blocks of queries, so that only one block's scores are in memory.
//
// For a block of queries all keys up to its last position are taken at once: one product for the
// scores, one softmax pass, one product with the values. Keys behind the block are skipped, which
// halves the work, and so are those before the window of its first query. The query heads that
// share a key head are stacked into one product. The backward pass makes the scores of a block anew
// from the logarithm of their sum (Dao et al., arXiv:2205.14135, without its inner loop over keys:
// a block of scores fits the cache).
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace rankine::models {

/// The heads of one call. Query head h reads key head (first_query_head + h) / queries_per_key.
struct AttentionHeads {
  std::int64_t head_size;
  std::int64_t query_heads;
  std::int64_t key_heads;
  std::int64_t queries_per_key;
  std::int64_t first_query_head = 0;
  /// Positions that a query sees, its own among them.
  std::int64_t window = std::numeric_limits<std::int64_t>::max();
  double scale = 1 / std::sqrt(static_cast<double>(head_size));
};

/// Row-major: q is queries x query_heads head_size, k and v are keys x key_heads head_size. The
/// queries are the last `queries` positions of the sequence of `keys` positions.
template <class T>
struct AttentionInput {
  AttentionHeads heads;
  std::int64_t queries;
  std::int64_t keys;
  const T* q;
  const T* k;
  const T* v;
};

/// softmax(scale q k^T) v into `out` (as q), and the logarithm of each softmax's sum
/// into `log_sums` (queries x query_heads).
template <class T>
void attend(const AttentionInput<T>& input, T* out, T* log_sums);

/// Gradients for `dout`; `out` and `log_sums` are those of attend.
template <class T>
void attend_backward(const AttentionInput<T>& input, const T* out, const T* log_sums, const T* dout,
                     T* dq, T* dk, T* dv);

/// Scores of one block without a window, in numbers per thread: what a call needs beside its
/// arrays.
std::int64_t attention_block_size(std::int64_t keys, std::int64_t queries_per_key);

}  // namespace rankine::models
