#include "models/language/sampled_tokens.hpp"

#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "models/language/logit_chunks.hpp"
#include "weights/rows/element_type.hpp"

namespace rankine::models {

using torch::Tensor;

namespace {

/// The best of one token's own columns. Parts merge in any grouping.
struct Draw {
  double best = -std::numeric_limits<double>::infinity();
  std::int64_t id = std::numeric_limits<std::int64_t>::max();

  void merge(const Draw& other) {
    if (other.best > best || (other.best == best && other.id < id)) *this = other;
  }
};

/// SplitMix64 (Steele, Lea and Flood 2014): a random word for each counter.
std::uint64_t random_word(std::uint64_t counter) {
  std::uint64_t z = counter + 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// -log(-log(u)) with u in (0, 1).
double gumbel(std::uint64_t word) {
  return -std::log(-std::log((static_cast<double>(word >> 11) + 0.5) * 0x1p-53));
}

template <class T>
void draw_rows(const T* logits, std::int64_t columns, std::int64_t first_column, std::uint64_t seed,
               std::int64_t first_token, std::span<Draw> draws) {
#pragma omp parallel for
  for (std::size_t t = 0; t < draws.size(); ++t) {
    const T* row = logits + static_cast<std::int64_t>(t) * columns;
    const std::uint64_t of_token =
        random_word(seed ^ static_cast<std::uint64_t>(first_token + static_cast<std::int64_t>(t)));
    for (std::int64_t i = 0; i < columns; ++i) {
      const auto id = static_cast<std::uint64_t>(first_column + i);
      draws[t].merge(
          {static_cast<double>(row[i]) + gumbel(random_word(of_token + id)), first_column + i});
    }
  }
}

}  // namespace

Tensor sample_tokens(const LanguageModel& model, const Tensor& hidden, std::uint64_t stream) {
  const torch::NoGradGuard no_gradients;
  std::vector<Draw> draws(static_cast<std::size_t>(hidden.size(0)));
  const std::uint64_t seed = random_word(stream);
  for_each_chunk(model, hidden.size(0), [&](std::int64_t first, std::int64_t count) {
    const Tensor logits = model.head().forward(hidden.narrow(0, first, count)).contiguous();
    weights::with_element_type(logits, [&]<class T>(T) {
      draw_rows<T>(logits.data_ptr<T>(), logits.size(1), first_column(model), seed, first,
                   chunk_of(std::span(draws), first, count));
    });
  });
  draws = merged(model.team(), std::move(draws));
  const Tensor ids = torch::empty({hidden.size(0)}, torch::kInt64);
  for (std::size_t t = 0; t < draws.size(); ++t) ids.data_ptr<std::int64_t>()[t] = draws[t].id;
  return ids;
}

}  // namespace rankine::models
