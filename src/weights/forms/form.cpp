#include "weights/forms/form.hpp"

#include <algorithm>

#include "core/contracts.hpp"
#include "weights/forms/clustered.hpp"
#include "weights/forms/column_pivoted.hpp"
#include "weights/forms/dense.hpp"
#include "weights/forms/disentangled.hpp"
#include "weights/forms/low_rank.hpp"
#include "weights/forms/matrix_product.hpp"
#include "weights/forms/narrowed.hpp"
#include "weights/forms/pivoted.hpp"
#include "weights/forms/rotated.hpp"
#include "weights/forms/tucker.hpp"
#include "weights/forms/updated.hpp"

namespace rankine::weights {

std::span<const FormFacts> all_forms() {
  static const std::vector<FormFacts> forms{
      {Form::low_rank, "low-rank", SizedBy::components, Form::low_rank, {{"left", read_low_rank}}},
      {Form::pivoted,
       "pivoted",
       SizedBy::components,
       Form::low_rank,
       {{"basis", read_pivoted}, {"columns", read_column_pivoted}},
       FactorGauge::pivoted},
      {.value = Form::matrix_product,
       .name = "mpo",
       .sized_by = SizedBy::bonds,
       .trained_as = Form::matrix_product,
       .layouts = {{"core0", read_matrix_product}},
       .bonds = {matrix_product_numbers, largest_matrix_product}},
      {.value = Form::disentangled,
       .name = "disentangled",
       .sized_by = SizedBy::bonds,
       .trained_as = Form::disentangled,
       .layouts = {{"inner0", read_disentangled}},
       .bonds = {disentangled_core_numbers, largest_disentangled_core}},
      {Form::clustered,
       "clustered",
       SizedBy::values,
       Form::clustered,
       {{"centroids", read_clustered}}},
      {Form::narrowed,
       "narrowed",
       SizedBy::units,
       Form::narrowed,
       {{"kept_rows", read_narrowed_rows}, {"kept_columns", read_narrowed_columns}}},
      {Form::tucker, "tucker", SizedBy::kernel_ranks, Form::tucker, {{"core", read_tucker}}},
      {Form::cut, "cut", SizedBy::kernel_ranks, Form::dense, {}},
      {Form::dense, "dense", SizedBy::components, Form::dense, {{"weight", read_dense}}},
      {.value = Form::rotated,
       .name = "rotated",
       .sized_by = SizedBy::adapter,
       .trained_as = Form::rotated,
       .adapters = {{"rotation.inputs.strides", read_rotated},
                    {"rotation.outputs.strides", read_rotated}}},
      {.value = Form::updated,
       .name = "updated",
       .sized_by = SizedBy::adapter,
       .trained_as = Form::updated,
       .adapters = {{"update.left", read_updated}}}};
  return forms;
}

std::span<const FormFacts> forms_of_matrices() {
  const auto all = all_forms();
  const auto first_adapter = std::ranges::find(all, SizedBy::adapter, &FormFacts::sized_by);
  return {all.begin(), first_adapter};
}

const FormFacts& facts_of(Form form) {
  const auto found = std::ranges::find(all_forms(), form, &FormFacts::value);
  RANKINE_EXPECTS(found != all_forms().end(), "every form has its line");
  return *found;
}

std::string_view name(Form form) { return facts_of(form).name; }

}  // namespace rankine::weights
