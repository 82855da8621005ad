// The expectation value of a Pauli string: a product of factors whose light cones do not meet.
#pragma once

#include "gpeps/observables/observable.hpp"

namespace rankine::gpeps {

/// InputError: the text is no Pauli string, or names a site that the lattice does not have.
std::unique_ptr<Observable> make_string_observable(const std::string& text,
                                                   const lattice::Graph& graph);

}  // namespace rankine::gpeps
