// From where gates are made better.
#pragma once

#include "core/named_values.hpp"

namespace rankine::weights {

/// From where the sweeps begin.
enum class DisentanglingStart {
  identity,  ///< gates that do nothing
  purity,    ///< gates that have made the purity of the cut large (the entropy Renyi-2 small)
};
inline constexpr Named<DisentanglingStart> disentangling_start_names[] = {
    {DisentanglingStart::identity, "identity"}, {DisentanglingStart::purity, "purity"}};

}  // namespace rankine::weights
