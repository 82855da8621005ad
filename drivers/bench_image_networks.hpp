// Training and evaluation of an image network, and of the same layers in bare libtorch.
#pragma once

#include <cstdint>
#include <string>

#include "parallel/communicator.hpp"

namespace rankine::bench {

struct NetworkCase {
  std::string network;  ///< "resnet-20"; of Tucker layers at half ranks "t-cnn", a plain network,
                        ///< or "slice", a residual block that is trained as a slice
  std::int64_t images = 0;
  std::int64_t batch = 0;
};

/// Images a second.
struct NetworkRates {
  std::string network;
  std::int64_t parameters = 0;
  double training = 0;
  double bare_training = 0;  ///< on one rank
  double evaluation = 0;     ///< on one rank
  double bare_evaluation = 0;
};

/// Collective; rates of one rank are those of rank 0, and 0 elsewhere.
NetworkRates time_network(const parallel::Communicator& world, const NetworkCase& which,
                          std::int64_t repeats);

}  // namespace rankine::bench
