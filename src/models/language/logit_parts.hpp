// What a rank keeps of the logits in its columns: a few numbers per token, from which the ranks
// together make losses, divergences and top tokens without any of them holding all logits.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

namespace rankine::models {

/// Of one token's own columns. Parts merge in any grouping.
struct LogitPart {
  double largest = -std::numeric_limits<double>::infinity();
  double sum = 0;  ///< of exp(logit - largest)
  /// Of the token to predict; minus infinity on ranks that do not own its column.
  double target = -std::numeric_limits<double>::infinity();
  std::int64_t top_id = std::numeric_limits<std::int64_t>::max();  ///< lowest id at `largest`

  void merge(const LogitPart& other);
  double log_sum() const;
  double negative_log_likelihood() const { return log_sum() - target; }
};

/// The part of a reference's logits r beside those of the model m.
struct ComparisonPart {
  LogitPart reference;
  double difference = 0;  ///< sum of exp(r - reference.largest) (r - m)

  void merge(const ComparisonPart& other);
  /// KL(reference || model) = E_reference[r - m] - log_sum(r) + log_sum(m).
  double divergence(const LogitPart& model) const;
};

/// Tokens whose logits are computed together where a rank owns `columns` of the vocabulary: enough
/// for the matrix product to run at its full rate.
std::int64_t tokens_per_chunk(std::int64_t columns);

/// Row-major logits of parts.size() tokens in columns [first_column, first_column + columns) of the
/// vocabulary. `targets` is empty or holds one token id for each row.
template <class T>
void measure_logits(const T* logits, std::int64_t columns, std::int64_t first_column,
                    std::span<const std::int64_t> targets, std::span<LogitPart> parts);

template <class T>
void compare_logits(const T* reference, const T* model, std::int64_t columns,
                    std::int64_t first_column, std::span<ComparisonPart> parts);

/// Gradient of sum_t weights[t] nll[t] with respect to the logits, in place:
/// weights[t] (exp(logit - log_sums[t]) - [column is the target]).
template <class T>
void logits_to_gradient(T* logits, std::int64_t columns, std::int64_t first_column,
                        std::span<const std::int64_t> targets, std::span<const double> log_sums,
                        std::span<const double> weights);

/// The logarithms of the sums of exponentials of each token's logits.
struct LogSums {
  std::span<const double> model;
  std::span<const double> reference;
};

/// Gradient of sum_t weights[t] KL(reference || model)[t] with respect to the model's logits, in
/// place: weights[t] (exp(logit - model) - exp(reference logit - reference)).
template <class T>
void divergence_to_gradient(T* logits, const T* reference, std::int64_t columns,
                            const LogSums& log_sums, std::span<const double> weights);

}  // namespace rankine::models
