// Whether what rankine-bench is asked to measure fits the memory of the node.
#pragma once

#include <fmt/format.h>

#include <string>

#include "core/errors.hpp"
#include "core/memory.hpp"
#include "core/text_format.hpp"

namespace rankine::bench {

/// ResourceError if `bytes` of a node are more than it has left (where that is known).
inline void require_memory(double bytes, const std::string& what, const char* keyword) {
  const auto left = static_cast<double>(available_node_bytes());
  if (left <= 0 || bytes <= left) return;
  throw ResourceError(fmt::format("{} needs about {} on a node (which has {} left). Lower {}.",
                                  what, format_bytes(bytes), format_bytes(left), keyword));
}

}  // namespace rankine::bench
