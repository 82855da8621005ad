#include "core/version.hpp"

#include "rankine_git_commit.hpp"

namespace rankine {

std::string program_version() { return RANKINE_VERSION; }

std::string git_commit() { return RANKINE_GIT_COMMIT; }

}  // namespace rankine
