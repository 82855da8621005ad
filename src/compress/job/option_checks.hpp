// Keywords of a deck of rankine-compress that do not go together.
#pragma once

#include "compress/job/options.hpp"

namespace rankine::compress {

/// Adds a finding for each.
void check_options(const CompressOptions& options, deck::Findings& findings);

}  // namespace rankine::compress
