// The tensor library's threads and name, free of its headers.
#pragma once

#include <string>

namespace rankine::models {

/// Threads that layers compute with in this process; BLAS is called from each of them with one. All
/// of them take numbers below the normal range (about 1e-38) as 0, which many processors are far
/// slower with.
void set_tensor_threads(int threads);
/// The same for image networks. Denormal numbers become zeros in all these threads: they take many
/// times as long as others. Freed memory stays with the process: layers ask for the same sizes
/// again and again, and new pages cost as much time as what is computed in them.
void set_image_threads(int threads);
/// "1.13.1", for provenance.
std::string tensor_library_version();

}  // namespace rankine::models
