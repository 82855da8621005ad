// Keywords of a deck that do not go together.
#pragma once

#include "compress/job/options.hpp"

namespace rankine::compress {

/// Those of declare_compression and declare_scoring; adds a finding for each.
void check_compression(const CompressOptions& options, deck::Findings& findings);

/// All of rankine-compress.
void check_options(const CompressOptions& options, deck::Findings& findings);

}  // namespace rankine::compress
