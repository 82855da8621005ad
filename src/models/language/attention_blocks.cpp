#include "models/language/attention_blocks.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "linalg/blas.hpp"
#include "weights/rows/single_threaded_blas.hpp"

namespace rankine::models {

using linalg::ConstView;
using linalg::gemm;
using linalg::Op;
using linalg::View;

namespace {

constexpr std::int64_t block_queries = 64;

/// The work of one product: queries [first, last) of the query heads [head, head + heads) that read
/// key head `key_head`.
struct Unit {
  std::int64_t key_head;
  std::int64_t head;
  std::int64_t heads;
  std::int64_t first;
  std::int64_t last;

  std::int64_t queries() const { return last - first; }
  std::int64_t rows() const { return heads * queries(); }
};

/// Units of one key head, the longest first so that threads end together.
std::vector<Unit> units_of(const AttentionHeads& heads, std::int64_t key_head,
                           std::int64_t queries) {
  const std::int64_t begin =
      std::max<std::int64_t>(0, key_head * heads.queries_per_key - heads.first_query_head);
  const std::int64_t end =
      std::min(heads.query_heads, (key_head + 1) * heads.queries_per_key - heads.first_query_head);
  std::vector<Unit> units;
  if (begin >= end) return units;
  for (std::int64_t first = (queries - 1) / block_queries * block_queries; first >= 0;
       first -= block_queries)
    units.push_back(
        {key_head, begin, end - begin, first, std::min(first + block_queries, queries)});
  return units;
}

/// One unit at a time: packed copies of its rows, its scores, and the products with keys and
/// values.
template <class T>
class Block {
 public:
  explicit Block(const AttentionInput<T>& input) : input_(input), heads_(input.heads) {}

  void take(const Unit& unit) {
    unit_ = unit;
    first_key_ = first_visible(unit.first);
    keys_ = input_.keys - input_.queries + unit.last - first_key_;
    q_.resize(static_cast<std::size_t>(unit.rows() * heads_.head_size));
    scores_.resize(static_cast<std::size_t>(unit.rows() * keys_));
    pack(input_.q, static_cast<T>(heads_.scale), q_);
    gemm<T>(Op::transpose, Op::none, T(1), of_key_head(input_.k), rows_of(q_), T(0), scores());
  }

  const Unit& unit() const { return unit_; }
  View<T> scores() { return {scores_.data(), keys_, unit_.rows()}; }
  /// The keys of the block that row r may see: [hidden, visible).
  std::int64_t hidden(std::int64_t row) const { return first_visible(token(row)) - first_key_; }
  std::int64_t visible(std::int64_t row) const {
    return input_.keys - input_.queries + token(row) + 1 - first_key_;
  }
  std::int64_t token(std::int64_t row) const { return unit_.first + row % unit_.queries(); }
  std::int64_t head(std::int64_t row) const { return unit_.head + row / unit_.queries(); }
  /// Where row r of the unit stands in an array like q.
  std::int64_t place(std::int64_t row) const {
    return (token(row) * heads_.query_heads + head(row)) * heads_.head_size;
  }

  /// Keys or values of this key head that some row sees, a head's numbers down the rows.
  template <class U>
  View<U> of_key_head(U* values) const {
    const std::int64_t leading = heads_.key_heads * heads_.head_size;
    return {values + first_key_ * leading + unit_.key_head * heads_.head_size, heads_.head_size,
            keys_, leading};
  }
  View<T> rows_of(std::vector<T>& packed) const {
    return {packed.data(), heads_.head_size, unit_.rows()};
  }
  std::vector<T>& queries() { return q_; }

  /// Rows of an array like q, times `scale`.
  void pack(const T* values, T scale, std::vector<T>& packed) const {
    packed.resize(static_cast<std::size_t>(unit_.rows() * heads_.head_size));
    for (std::int64_t row = 0; row < unit_.rows(); ++row)
      for (std::int64_t i = 0; i < heads_.head_size; ++i)
        packed[static_cast<std::size_t>(row * heads_.head_size + i)] =
            values[place(row) + i] * scale;
  }

 private:
  /// The first key that the query of a token sees.
  std::int64_t first_visible(std::int64_t token) const {
    const std::int64_t position = input_.keys - input_.queries + token;
    return position < heads_.window ? 0 : position - heads_.window + 1;
  }

  const AttentionInput<T>& input_;
  const AttentionHeads& heads_;
  Unit unit_{};
  std::int64_t first_key_ = 0;
  std::int64_t keys_ = 0;
  std::vector<T> q_;
  std::vector<T> scores_;
};

/// exp(row - largest) over the keys [hidden, visible), 0 beside them; returns the sum.
template <class T>
T exponentials(T* row, std::int64_t hidden, std::int64_t visible, std::int64_t keys, T& largest) {
  T top = row[hidden];
#pragma omp simd reduction(max : top)
  for (std::int64_t k = hidden; k < visible; ++k) top = std::max(top, row[k]);
  T sum = 0;
  std::fill(row, row + hidden, T(0));
#pragma omp simd reduction(+ : sum)
  for (std::int64_t k = hidden; k < visible; ++k) {
    row[k] = std::exp(row[k] - top);
    sum += row[k];
  }
  std::fill(row + visible, row + keys, T(0));
  largest = top;
  return sum;
}

template <class T>
void attend_unit(Block<T>& block, const AttentionInput<T>& input, std::vector<T>& packed, T* out,
                 T* log_sums) {
  const View<T> scores = block.scores();
  const std::int64_t rows = scores.columns, size = input.heads.head_size;
  packed.resize(static_cast<std::size_t>(rows * size));
  std::vector<T> sums(static_cast<std::size_t>(rows));
  for (std::int64_t row = 0; row < rows; ++row) {
    T largest = 0;
    const T sum = exponentials(scores.data + row * scores.leading, block.hidden(row),
                               block.visible(row), scores.rows, largest);
    sums[static_cast<std::size_t>(row)] = sum;
    log_sums[block.token(row) * input.heads.query_heads + block.head(row)] =
        largest + std::log(sum);
  }
  gemm<T>(Op::none, Op::none, T(1), block.of_key_head(input.v), scores, T(0),
          block.rows_of(packed));
  for (std::int64_t row = 0; row < rows; ++row) {
    const T scale = 1 / sums[static_cast<std::size_t>(row)];
    for (std::int64_t i = 0; i < size; ++i)
      out[block.place(row) + i] = packed[static_cast<std::size_t>(row * size + i)] * scale;
  }
}

/// What the backward pass of one key head works with.
template <class T>
struct BackwardRows {
  std::vector<T> dout;
  std::vector<T> dq;
  std::vector<T> dscores;
};

/// Probabilities P from the scores; dS = P (dout v^T - sum(dout out)); then dv += P^T dout,
/// dq = dS k, dk += dS^T q, the scale of the scores included.
template <class T>
void attend_unit_backward(Block<T>& block, const AttentionInput<T>& input, BackwardRows<T>& rows,
                          const T* out, const T* log_sums, const T* dout, T* dq, T* dk, T* dv) {
  const View<T> p = block.scores();
  const std::int64_t size = input.heads.head_size;
  block.pack(dout, T(1), rows.dout);
  rows.dscores.resize(static_cast<std::size_t>(p.rows * p.columns));
  rows.dq.resize(rows.dout.size());
  const View<T> ds{rows.dscores.data(), p.rows, p.columns};
  gemm<T>(Op::transpose, Op::none, T(1), block.of_key_head(input.v), block.rows_of(rows.dout), T(0),
          ds);
  const T scale = static_cast<T>(input.heads.scale);
  for (std::int64_t row = 0; row < p.columns; ++row) {
    const T log_sum = log_sums[block.token(row) * input.heads.query_heads + block.head(row)];
    T dot = 0;
    for (std::int64_t i = 0; i < size; ++i)
      dot += dout[block.place(row) + i] * out[block.place(row) + i];
    const std::int64_t hidden = block.hidden(row), visible = block.visible(row);
    for (std::int64_t k = 0; k < p.rows; ++k) {
      p(k, row) = k >= hidden && k < visible ? std::exp(p(k, row) - log_sum) : T(0);
      ds(k, row) = p(k, row) * (ds(k, row) - dot);
    }
  }
  gemm<T>(Op::none, Op::transpose, T(1), block.rows_of(rows.dout), p, T(1), block.of_key_head(dv));
  // The packed queries carry the scale already.
  gemm<T>(Op::none, Op::transpose, T(1), block.rows_of(block.queries()), ds, T(1),
          block.of_key_head(dk));
  gemm<T>(Op::none, Op::none, scale, block.of_key_head(input.k), ds, T(0), block.rows_of(rows.dq));
  for (std::int64_t row = 0; row < p.columns; ++row)
    std::copy_n(rows.dq.data() + row * size, size, dq + block.place(row));
}

}  // namespace

template <class T>
void attend(const AttentionInput<T>& input, T* out, T* log_sums) {
  std::vector<Unit> units;
  for (std::int64_t head = 0; head < input.heads.key_heads; ++head)
    for (const Unit& unit : units_of(input.heads, head, input.queries)) units.push_back(unit);
  std::stable_sort(units.begin(), units.end(), [](const Unit& a, const Unit& b) {
    return a.last * a.heads > b.last * b.heads;
  });
  const weights::SingleThreadedBlas guard;
#pragma omp parallel
  {
    Block<T> block(input);
    std::vector<T> packed;
#pragma omp for schedule(dynamic, 1)
    for (std::size_t i = 0; i < units.size(); ++i) {
      block.take(units[i]);
      attend_unit(block, input, packed, out, log_sums);
    }
  }
}

template <class T>
void attend_backward(const AttentionInput<T>& input, const T* out, const T* log_sums, const T* dout,
                     T* dq, T* dk, T* dv) {
  const std::int64_t key_numbers = input.keys * input.heads.key_heads * input.heads.head_size;
  std::fill_n(dk, key_numbers, T(0));
  std::fill_n(dv, key_numbers, T(0));
  const weights::SingleThreadedBlas guard;
  // A key head belongs to one thread: its gradients gather over all blocks of queries.
#pragma omp parallel for schedule(dynamic, 1)
  for (std::int64_t head = 0; head < input.heads.key_heads; ++head) {
    Block<T> block(input);
    BackwardRows<T> rows;
    for (const Unit& unit : units_of(input.heads, head, input.queries)) {
      block.take(unit);
      attend_unit_backward(block, input, rows, out, log_sums, dout, dq, dk, dv);
    }
  }
}

std::int64_t attention_block_size(std::int64_t keys, std::int64_t queries_per_key) {
  return keys * queries_per_key * block_queries;
}

#define RANKINE_INSTANTIATE(T)                                                                     \
  template void attend<T>(const AttentionInput<T>&, T*, T*);                                       \
  template void attend_backward<T>(const AttentionInput<T>&, const T*, const T*, const T*, T*, T*, \
                                   T*);
RANKINE_INSTANTIATE(float)
RANKINE_INSTANTIATE(double)
#undef RANKINE_INSTANTIATE

}  // namespace rankine::models
