#include "compress/allocation/depth_bias.hpp"

#include <cmath>

namespace rankine::compress {

std::vector<double> depth_factors(std::int64_t layers, double strength, double decay) {
  std::vector<double> factors(static_cast<std::size_t>(layers), 0);
  for (std::size_t l = factors.size(); l-- > 1;)
    factors[l - 1] = factors[l] + std::pow(static_cast<double>(l), -decay);
  const double whole = layers > 1 ? factors[0] : 1;
  for (double& factor : factors) factor = 1 + strength * factor / whole;
  return factors;
}

}  // namespace rankine::compress
