// How the selected weights of a model become one form: a table with a line for each.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "compress/decomposition/weighted_decomposition.hpp"
#include "compress/job/workbench.hpp"
#include "compress/stages/replacement.hpp"

namespace rankine::compress {

/// The selected weights, in their order, in a form of one size. Collective over the world.
using FormsOfSize = std::function<std::vector<NewForm>(std::int64_t size)>;

/// Functions are collective over the world and throw on all ranks.
struct FormMaking {
  weights::Form form;
  /// Shares out sizes as the deck asks and puts the forms into the model, with their reports.
  void (*compress)(Workbench& bench, ErrorNorm norm);
  /// For sensitivity profiles; null where the size is not a bond dimension or rank.
  FormsOfSize (*of_size)(Workbench& bench, ErrorNorm norm);
  /// The last step, when training is over, on the weights whose report has the form.
  void (*finish)(Workbench& bench) = [](Workbench&) {};
};

const FormMaking& making_of(weights::Form form);

}  // namespace rankine::compress
