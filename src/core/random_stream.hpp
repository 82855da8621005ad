// Random numbers that are the same on all ranks and with every standard library.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>
#include <span>
#include <utility>

namespace rankine {

/// One of many independent streams, told apart by a few numbers: {seed, matrix}. Ranks that build
/// the stream of the same numbers draw the same values.
class RandomStream {
 public:
  explicit RandomStream(std::initializer_list<std::uint64_t> identity);

  /// In (0, 1), never an end point.
  double uniform();
  /// In [0, bound), all equally likely; bound > 0.
  std::uint64_t below(std::uint64_t bound);

  template <class T>
  void shuffle(std::span<T> values) {
    for (std::size_t left = values.size(); left > 1; --left)
      std::swap(values[left - 1], values[static_cast<std::size_t>(below(left))]);
  }

 private:
  std::mt19937_64 engine_;  // its numbers and those of seed_seq are fixed by the C++ standard
};

/// The value below which the standard normal distribution has `probability`, in (0, 1).
double normal_quantile(double probability);

}  // namespace rankine
