// A TOML value put into the member its keyword is bound to, or reported as a finding.
#pragma once

#include "deck/findings.hpp"
#include "deck/keyword.hpp"
#include "deck/toml_document.hpp"

namespace rankine::deck {

/// Checks type, range and choices; sets the target and the source of the keyword when all is well.
void bind(Keyword& keyword, const TomlValue& value, Findings& findings);

}  // namespace rankine::deck
