// What a weight may become, before it is put into the model.
#pragma once

#include <memory>

#include "compress/job/compression_result.hpp"
#include "weights/forms/weight.hpp"

namespace rankine::compress {

struct NewForm {
  std::shared_ptr<weights::Weight> weight;
  WeightReport report;
};

}  // namespace rankine::compress
