#include "tiny_compression.hpp"

#include <fmt/format.h>

#include "../tiny_model.hpp"
#include "compress/compression.hpp"
#include "compress/job/compression_job.hpp"
#include "deck/read.hpp"
#include "parallel/session.hpp"
#include "target.hpp"
#include "verdict.hpp"

namespace rankine::fuzz {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t length_bytes = 8;  // of a safetensors file, before its header

bool is_safetensors(const std::string& path) { return path.ends_with(".safetensors"); }

std::uint64_t header_bytes(const std::string& file) {
  std::uint64_t length = 0;
  for (std::size_t byte = length_bytes; byte > 0; --byte)
    length = length << 8 | static_cast<unsigned char>(file[byte - 1]);
  return length;
}

std::string bytes_of_length(std::uint64_t length) {
  std::string bytes;
  for (std::size_t byte = 0; byte < length_bytes; ++byte)
    bytes += static_cast<char>(length >> (8 * byte));
  return bytes;
}

/// The model with config.json, weights and tokens.npy, for as long as the process lives.
const fs::path& model_folder() {
  static const ScratchFolder folder;
  if (fs::exists(folder.path() / "tokens.npy")) return folder.path();
  tiny_llama({.vocabulary = 11,
              .width = 8,
              .layers = 1,
              .heads = 2,
              .key_heads = 1,
              .head_size = 4,
              .hidden = 8},
             1)
      .write(folder.path());
  std::string tokens = "\x93NUMPY";
  const std::string description = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 8), }\n";
  tokens += std::string("\1\0", 2) + static_cast<char>(description.size()) + '\0' + description;
  for (int token = 0; token < 16; ++token) tokens += static_cast<char>(7 * token % 11);
  write_file(folder.path() / "tokens.npy", tokens);
  return folder.path();
}

}  // namespace

const parallel::Communicator& world() {
  static int argc = 0;
  static char** argv = nullptr;
  static const parallel::Session session(argc, argv);
  return session.world();
}

void compress_tiny_model(const std::string& deck) {
  const std::string model = model_folder().string();
  const std::string text = fmt::format(
      "[model]\npath = \"{0}\"\n[output]\nfile = \"out.h5\"\n"
      "[calibration]\ntext = \"{0}/tokens.npy\"\nwindows = 2\nwindow_length = 8\n"
      "gradient_windows = 2\ngradient_window_length = 8\n"
      "[evaluate]\ntext = \"{0}/tokens.npy\"\nwindow_length = 8\n{1}",
      model, deck);
  compress::CompressOptions options;
  deck::Schema schema;
  compress::declare_keywords(schema, options);
  deck::read_text(schema, text, "deck.toml", {});
  run::StopRequest stop(world(), {});
  compress::compress(compress::prepare_compression(options), world(),
                     {.options = options.scoring.run, .stop = stop, .values = {}},
                     [](const compress::CompressionResult&) {});
}

FolderContent read_folder(const fs::path& folder) {
  FolderContent content;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string path = fs::relative(entry.path(), folder).string();
    std::ifstream file(entry.path(), std::ios::binary);
    content[path] = std::string(std::istreambuf_iterator<char>(file), {});
  }
  return content;
}

void write_folder(const fs::path& folder, const FolderContent& content) {
  fs::remove_all(folder);
  for (const auto& [path, bytes] : content) {
    fs::create_directories((folder / path).parent_path());
    write_file(folder / path, bytes);
  }
}

std::string input_of(const std::string& path, const std::string& bytes) {
  return path + "\n" + (is_safetensors(path) ? bytes.substr(length_bytes) : bytes);
}

ChangedFolder changed_folder(const FolderContent& folder, const std::string& input) {
  const auto line_end = std::min(input.find('\n'), input.size());
  ChangedFolder result{input.substr(0, line_end), folder};
  const auto file = result.content.find(result.changed);
  if (file == result.content.end()) return result;
  std::string bytes = input.substr(std::min(line_end + 1, input.size()));
  if (is_safetensors(result.changed)) {
    // The values keep their number of bytes; what changed in number belongs to the header.
    const std::size_t values = file->second.size() - length_bytes - header_bytes(file->second);
    bytes = bytes_of_length(bytes.size() - std::min(values, bytes.size())) + bytes;
  }
  file->second = std::move(bytes);
  return result;
}

}  // namespace rankine::fuzz
