// Adapters beside a frozen weight, as they are before they are trained: the weight itself.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "core/named_values.hpp"
#include "weights/forms/factor_cost.hpp"

namespace rankine::weights {

class Weight;

enum class AdapterKind {
  cayley,          ///< orthogonal blocks by the Cayley transform
  block_diagonal,  ///< blocks without constraint
  lora,            ///< a product of two thin factors that is added
};
/// With their names in decks.
inline constexpr std::array adapter_kind_names{
    Named<AdapterKind>{AdapterKind::cayley, "cayley"},
    Named<AdapterKind>{AdapterKind::block_diagonal, "block-diagonal"},
    Named<AdapterKind>{AdapterKind::lora, "lora"}};

/// Where blocks act.
enum class AdapterSide { inputs, outputs, both };
inline constexpr std::array adapter_side_names{Named<AdapterSide>{AdapterSide::inputs, "inputs"},
                                               Named<AdapterSide>{AdapterSide::outputs, "outputs"},
                                               Named<AdapterSide>{AdapterSide::both, "both"}};

struct AdapterShape {
  AdapterKind kind = AdapterKind::cayley;
  AdapterSide side = AdapterSide::inputs;
  std::int64_t block = 4;  ///< size of the blocks
  int layers = 1;          ///< of blocks, as butterfly_layouts() places them
  std::int64_t rank = 1;   ///< of LoRA
  std::uint64_t seed = 0;  ///< of LoRA's right factor; of its own for every weight
};

/// Numbers of such an adapter. Throws InputError for blocks that do not divide a side and for ranks
/// beyond that of the matrix.
std::int64_t adapter_numbers(const AdapterShape& adapter, const MatrixShape& matrix);

/// A weight that is `base` until its parameters are trained. Throws InputError where
/// adapter_numbers() does, and for a base that has an adapter.
std::shared_ptr<Weight> make_adapted(std::shared_ptr<Weight> base, const AdapterShape& shape);

}  // namespace rankine::weights
