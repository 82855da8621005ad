#include "core/random_stream.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "core/contracts.hpp"

namespace rankine {

namespace {

std::mt19937_64 engine_of(std::initializer_list<std::uint64_t> identity) {
  std::vector<std::uint32_t> words;
  for (const std::uint64_t number : identity) {
    words.push_back(static_cast<std::uint32_t>(number));
    words.push_back(static_cast<std::uint32_t>(number >> 32));
  }
  std::seed_seq sequence(words.begin(), words.end());
  return std::mt19937_64(sequence);
}

/// Of a value of at most 0 or a little above, to full relative accuracy.
double normal_probability(double value) { return 0.5 * std::erfc(-value / std::numbers::sqrt2); }

}  // namespace

RandomStream::RandomStream(std::initializer_list<std::uint64_t> identity)
    : engine_(engine_of(identity)) {}

double RandomStream::uniform() { return (static_cast<double>(engine_() >> 12) + 0.5) * 0x1p-52; }

std::uint64_t RandomStream::below(std::uint64_t bound) {
  RANKINE_EXPECTS(bound > 0, "there is something to choose from");
  // Numbers beyond the last whole multiple of the bound would favour the small ones.
  const std::uint64_t excess = (std::numeric_limits<std::uint64_t>::max() % bound + 1) % bound;
  std::uint64_t number = engine_();
  while (number > std::numeric_limits<std::uint64_t>::max() - excess) number = engine_();
  return number % bound;
}

double normal_quantile(double probability) {
  RANKINE_EXPECTS(probability > 0 && probability < 1, "a quantile is that of a probability");
  if (probability > 0.5) return -normal_quantile(1 - probability);
  double low = -40, high = 0;
  while (true) {
    const double middle = 0.5 * (low + high);
    if (middle <= low || middle >= high) return middle;
    (normal_probability(middle) < probability ? low : high) = middle;
  }
}

}  // namespace rankine
