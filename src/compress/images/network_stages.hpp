// What is done with an image network as a whole once its kernels have their forms: training,
// export.
#pragma once

#include <cstdint>

#include "compress/images/image_bench.hpp"
#include "run/fingerprint.hpp"

namespace rankine::compress {

/// What the fit of the kernels depends on, beside the numbers of the network.
run::Fingerprint fingerprint_of_fit(const ImageBench& bench);

/// Trains for train.epochs on labels or, where there is a teacher, on its predictions; then the
/// statistics of batch norms are measured anew. States are kept; they depend on what is trained,
/// which `depends_on` tells where it is more than the fit. Collective over the world.
void train_network(ImageBench& bench, const models::ImageNetwork* teacher = nullptr,
                   std::uint64_t depends_on = 0);

/// To export.directory, if the deck names one. Collective over the world.
void export_network(const ImageBench& bench);

}  // namespace rankine::compress
