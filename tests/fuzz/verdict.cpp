#include "verdict.hpp"

#include <unistd.h>

#include <array>
#include <exception>
#include <new>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "core/errors.hpp"

namespace rankine::fuzz {

namespace fs = std::filesystem;

namespace {

/// What messages of libraries look like, and what stands in a stack trace.
constexpr std::array<std::string_view, 14> foreign{"frame #",
                                                   "Exception raised from",
                                                   "terminate called",
                                                   "json.exception",
                                                   "toml::",
                                                   "nlohmann::",
                                                   "std::",
                                                   "c10::",
                                                   "at::native",
                                                   "basic_string",
                                                   "bad_alloc",
                                                   "INTERNAL ASSERT",
                                                   "contract broken",
                                                   "C++ exception"};

Verdict verdict_on_error(const Error& error) {
  const std::string message = error.what();
  switch (error.code()) {
    case ExitCode::input:
    case ExitCode::resource:
    case ExitCode::numerical:
      break;
    default:
      return {Answer::wrong, "an error of another kind: " + message};
  }
  if (message.empty()) return {Answer::wrong, "an error without message"};
  for (const std::string_view sign : foreign)
    if (message.find(sign) != message.npos)
      return {Answer::wrong, "a message that shows a library: " + message};
  return {Answer::refused, message};
}

}  // namespace

Verdict verdict_on(const Target& target, const std::string& input, const fs::path& folder) {
  try {
    target.read(input, folder);
    return {};
  } catch (const Error& error) {
    return verdict_on_error(error);
  } catch (const std::bad_alloc&) {
    return {Answer::wrong, "more memory than an input may take"};
  } catch (const std::exception& error) {
    return {Answer::wrong, std::string("an exception that is none of ours: ") + error.what()};
  } catch (...) {
    return {Answer::wrong, "an exception of an unknown type"};
  }
}

ScratchFolder::ScratchFolder() {
  std::error_code ignored;
  const fs::path memory = "/dev/shm";
  const fs::path parent = fs::is_directory(memory, ignored) ? memory : fs::temp_directory_path();
  std::string pattern = (parent / "rankine-fuzz-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr)
    throw std::runtime_error("cannot make a folder in " + parent.string());
  path_ = pattern;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace rankine::fuzz
