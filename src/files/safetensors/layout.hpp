// Which files a checkpoint consists of and which tensor lies where in them.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "files/safetensors/safetensors.hpp"

namespace rankine::files {

inline constexpr const char* single_file_name = "model.safetensors";
inline constexpr const char* index_file_name = "model.safetensors.index.json";

struct SafetensorsLayout {
  std::vector<std::string> shards;   ///< file names within the checkpoint's folder
  std::vector<TensorEntry> tensors;  ///< sorted by name
  std::map<std::string, std::string> metadata;
  /// Tensors that shards hold but the index does not see in them, each with its shard; not sent.
  std::vector<std::string> left_out;
};

/// The folder that holds the shards of the checkpoint `path`.
std::filesystem::path folder_of(const std::filesystem::path& path);

/// Reads and checks all headers, and the index if there is one, which decides where a tensor lies.
/// Throws InputError, naming file and tensor.
SafetensorsLayout read_layout(const std::filesystem::path& path);

/// The same on all ranks of a communicator, collective: rank 0 reads for all, so that many ranks do
/// not ask the file system for the same headers, and logs what is left out. Throws on all ranks.
SafetensorsLayout read_layout(const parallel::Communicator& ranks,
                              const std::filesystem::path& path);

/// For sending: a text that `layout_from_text` turns into an equal layout.
std::string text_of(const SafetensorsLayout& layout);
SafetensorsLayout layout_from_text(const std::string& text);

}  // namespace rankine::files
