// What an input may do to a program: be read, or be refused with a message of ours.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "target.hpp"

namespace rankine::fuzz {

enum class Answer { accepted, refused, wrong };

struct Verdict {
  Answer answer = Answer::accepted;
  std::string message = {};  ///< of the error; for a wrong answer with what is wrong about it
};

/// Lets the target read the input. A refusal is an InputError, a ResourceError or a NumericalError
/// whose message shows nothing of the libraries below; every other exception is wrong.
Verdict verdict_on(const Target& target, const std::string& input,
                   const std::filesystem::path& folder);

/// A folder of its own for the files of this process, in memory where that is to be had; removed at
/// the end.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace rankine::fuzz
