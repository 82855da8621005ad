// Keywords of [adapter] and [noise] that do not go together, or not with others.
#pragma once

#include "compress/job/options.hpp"

namespace rankine::compress {

/// Of a language model; adds a finding for each.
void check_adapter_keywords(const CompressOptions& options, deck::Findings& findings);

}  // namespace rankine::compress
