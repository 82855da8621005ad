#include "threads.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "parallel/node.hpp"

namespace rankine {

ThreadChoice threads_of_rank(int ranks_per_node) {
  for (const char* variable : {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"}) {
    const char* text = std::getenv(variable);
    if (!text) continue;
    int threads = 0;
    const std::string_view digits(text);
    std::from_chars(digits.data(), digits.data() + digits.size(), threads);
    if (threads > 0) return {threads, true};
  }
  return {std::max(1, parallel::cores_of_process() / ranks_per_node), false};
}

}  // namespace rankine
