// In how many bits the numbers of a weight are stored.
#pragma once

#include <array>

#include "core/named_values.hpp"

namespace rankine::weights {

enum class Storage {
  exact,  ///< as they are computed with
  bfloat16,
  float16,
  /// Per block of 32 numbers along a row: the least one and a step, both float16, and 4 bits for
  /// each number; 5 bits a number.
  four_bits,
};

/// With the names of decks, result files and manifests.
inline constexpr std::array storage_names{
    Named<Storage>{Storage::exact, "exact"}, Named<Storage>{Storage::bfloat16, "bfloat16"},
    Named<Storage>{Storage::float16, "float16"}, Named<Storage>{Storage::four_bits, "4-bit"}};

constexpr std::string_view name(Storage storage) { return name_in(storage_names, storage); }

}  // namespace rankine::weights
