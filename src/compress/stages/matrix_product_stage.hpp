// Matrix-product operators of the selected weights.
#pragma once

#include "compress/stages/form_making.hpp"

namespace rankine::compress {

/// Operators of the selected weights in `norm`, for any largest bond dimension; each is made of the
/// whole matrix by one rank. Collective over the world. Throws NumericalError on all ranks.
FormsOfSize operators_of_size(Workbench& bench, ErrorNorm norm);

/// Allocates bond dimensions and puts the operators into the model. Collective over the world.
void compress_by_operators(Workbench& bench, ErrorNorm norm);

}  // namespace rankine::compress
