#include "compress/kernels/kernel_form.hpp"

#include <algorithm>
#include <cmath>

namespace rankine::compress {

KernelRanks KernelForm::at_fraction(double fraction, std::int64_t multiple) const {
  KernelRanks ranks = full();
  for (std::int64_t& rank : ranks) {
    // Halves go to the even neighbour, as numpy rounds.
    const double steps =
        std::nearbyint(fraction * static_cast<double>(rank) / static_cast<double>(multiple));
    rank = std::min(rank, std::max<std::int64_t>(1, static_cast<std::int64_t>(steps)) * multiple);
  }
  return ranks;
}

}  // namespace rankine::compress
