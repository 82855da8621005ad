// Operators of the selected weights between circuits of gates.
#pragma once

#include "compress/stages/form_making.hpp"

namespace rankine::compress {

/// For any bond dimension of the operators; each matrix is made by one team. Collective over the
/// world. Throws NumericalError on all ranks.
FormsOfSize disentangled_of_size(Workbench& bench, ErrorNorm norm);

/// At the bond dimensions of the deck, into the model. Collective over the world.
void compress_by_disentangling(Workbench& bench, ErrorNorm norm);

}  // namespace rankine::compress
