// Which Rankine this is.
#pragma once

#include <string>

namespace rankine {

/// The release, such as "0.1.0".
std::string program_version();

/// The full commit hash the program was built from, with "-dirty" after it if tracked files
/// differed; "unknown" where it was built without git.
std::string git_commit();

}  // namespace rankine
