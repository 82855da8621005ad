// What a fuzz target is: a reader of the programs, with valid inputs and the words of its format.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace rankine::fuzz {

struct Target {
  std::string name;
  std::vector<std::string> seeds = {};  ///< valid inputs, which mutations start from
  std::vector<std::string> words = {};  ///< of the format; mutations insert them
  /// Reads `input` as the programs do. `folder` is there for the files that takes; what is left in
  /// it stays for the next input.
  std::function<void(const std::string& input, const std::filesystem::path& folder)> read = {};
};

/// A target's name, and what makes it, which may take a while.
struct Choice {
  const char* name;
  Target (*make)();
};
/// The targets of this program.
std::vector<Choice> all_targets();

/// The content of a file that is named from the root of the source tree.
std::string project_file(const std::filesystem::path& path);

/// The contents of all files below a folder of the source tree with this extension, by name.
std::vector<std::string> project_files(const std::filesystem::path& folder,
                                       const std::string& extension);

/// Writes a file anew and returns its path.
std::filesystem::path write_file(const std::filesystem::path& path, const std::string& bytes);

}  // namespace rankine::fuzz
