// The forms that a weight may have: one table, which says of each what it is called, what its size
// counts, how many numbers it stores and how it is read.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/named_values.hpp"
#include "weights/forms/factor_cost.hpp"

namespace rankine::parallel {
class Communicator;
}

namespace rankine::weights {

class Weight;
class StoredTensors;
struct DenseSource;

/// `cut` is a dense kernel of low rank between two groups of its axes (making/kernel_cuts.hpp);
/// `rotated` and `updated` are adapters beside a weight of any form.
enum class Form {
  dense,
  low_rank,
  pivoted,
  matrix_product,
  disentangled,
  clustered,
  narrowed,
  tucker,
  cut,
  rotated,
  updated
};

/// What the size of a form counts (StoredWeight::kept_rank), and so how it is found.
enum class SizedBy {
  components,    ///< singular components, the leading ones of a decomposition that serves all sizes
  bonds,         ///< bonds of cores, which are made of the whole matrix anew for every size
  values,        ///< shared values of the entries, whose errors count one by one; never allocated
  units,         ///< hidden units of MLPs that are left, in all their matrices alike
  kernel_ranks,  ///< ranks of the axes of a kernel; for convolutions alone
  adapter,       ///< what stands beside a base: blocks or a rank that a deck gives; never allocated
};

/// One layout of a form in files: the tensor that no other form has, and the reader, which is not
/// collective. Readers throw InputError or NumericalError, naming the tensor.
struct FormLayout {
  std::string_view tensor;
  std::unique_ptr<Weight> (*read)(const parallel::Communicator& team, const DenseSource& source,
                                  const StoredTensors& tensors);
};

/// The same of an adapter, which has the weight under it already.
struct AdapterLayout {
  std::string_view tensor;
  std::unique_ptr<Weight> (*read)(std::shared_ptr<Weight> base, const DenseSource& source,
                                  const StoredTensors& tensors);
};

/// What forms of bonds cost.
struct BondCost {
  /// Numbers at a largest bond dimension.
  std::int64_t (*numbers)(const MatrixShape& shape, int sites, std::int64_t bond_dimension);
  /// The largest bond dimension of at most `budget` numbers; 0 if there is none.
  std::int64_t (*largest)(const MatrixShape& shape, int sites, std::int64_t budget);
};

struct FormFacts {
  Form value;
  std::string_view name;  ///< in decks, result files and manifests
  SizedBy sized_by;
  Form trained_as;  ///< what it is until training is over
  std::vector<FormLayout> layouts = {};
  FactorGauge gauge = FactorGauge::free;  ///< of forms made of components: what a rank costs
  BondCost bonds = {};                    ///< of forms of bonds
  std::vector<AdapterLayout> adapters = {};
};

std::span<const FormFacts> all_forms();
/// Those that a matrix may become, which are all but adapters, in the order in which decks list
/// them.
std::span<const FormFacts> forms_of_matrices();
const FormFacts& facts_of(Form form);
std::string_view name(Form form);

}  // namespace rankine::weights
