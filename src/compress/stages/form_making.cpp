#include "compress/stages/form_making.hpp"

#include <algorithm>

#include "compress/stages/clustered_stage.hpp"
#include "compress/stages/disentangled_stage.hpp"
#include "compress/stages/low_rank_stage.hpp"
#include "compress/stages/matrix_product_stage.hpp"
#include "compress/stages/narrowing_stage.hpp"
#include "compress/stages/pivoting_stage.hpp"
#include "core/contracts.hpp"

namespace rankine::compress {

using weights::Form;

const FormMaking& making_of(Form form) {
  static const FormMaking forms[] = {
      {Form::low_rank, compress_by_components, components_of_size},
      {Form::pivoted, compress_by_components, components_of_size, fix_gauges},
      {Form::dense, compress_by_components, components_of_size},
      {Form::matrix_product, compress_by_operators, operators_of_size},
      {Form::disentangled, compress_by_disentangling, disentangled_of_size},
      {Form::clustered, compress_by_clusters, nullptr},
      {Form::narrowed, compress_by_narrowing, nullptr},
  };
  const auto* found = std::ranges::find(forms, form, &FormMaking::form);
  RANKINE_EXPECTS(found != std::end(forms), "every form has its line");
  return *found;
}

}  // namespace rankine::compress
