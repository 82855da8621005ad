// The magnetization: the mean of Z over all sites.
#pragma once

#include "gpeps/observables/observable.hpp"

namespace rankine::gpeps {

/// Nothing unless the text is "magnetization".
std::unique_ptr<Observable> make_magnetization(const std::string& text,
                                               const lattice::Graph& graph);

}  // namespace rankine::gpeps
