// The logits of some images, as all that follows takes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace rankine::models {

struct Logits {
  std::int64_t classes = 0;
  std::span<const double> values;  ///< images x classes

  std::size_t images() const { return values.size() / static_cast<std::size_t>(classes); }
  std::span<const double> of(std::size_t image) const {
    const auto count = static_cast<std::size_t>(classes);
    return values.subspan(image * count, count);
  }
};

}  // namespace rankine::models
