// Which state vectors are evolved: values share one where that costs no more than vectors of their
// own.
#pragma once

#include <cstdint>
#include <vector>

#include "gpeps/plan/measurement_plan.hpp"

namespace rankine::gpeps {

/// The state vectors for all readings of a plan that want one, of `most_sites` sites at most.
std::vector<VectorPlan> grouped_vectors(const MeasurementPlan& plan, std::int64_t most_sites);

}  // namespace rankine::gpeps
