// Compressions of a model of a few hundred numbers: what the targets of folders start from.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "parallel/communicator.hpp"

namespace rankine::fuzz {

/// This process, which is the only rank; MPI starts with the first call.
const parallel::Communicator& world();

/// Compresses the tiny model on its text as these lines of a deck want it.
void compress_tiny_model(const std::string& deck);

/// The files of a folder by their paths in it.
using FolderContent = std::map<std::string, std::string>;
FolderContent read_folder(const std::filesystem::path& folder);
/// The folder then holds these files only.
void write_folder(const std::filesystem::path& folder, const FolderContent& content);

/// One file of a folder as an input: its path, a line's end, its bytes. Of a safetensors file the
/// length of the header is left out, so that changed headers are not all refused for it.
std::string input_of(const std::string& path, const std::string& bytes);

/// The folder with the file of such an input in it. Inputs that name no file of the folder change
/// nothing.
struct ChangedFolder {
  std::string changed;  ///< path of the file
  FolderContent content;
};
ChangedFolder changed_folder(const FolderContent& folder, const std::string& input);

}  // namespace rankine::fuzz
