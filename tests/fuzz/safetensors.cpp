// Safetensors files: their headers, and the index of a checkpoint in several files.
#include <fmt/format.h>

#include <cstdint>
#include <stdexcept>

#include "files/safetensors/header.hpp"
#include "files/safetensors/layout.hpp"
#include "targets.hpp"

namespace rankine::fuzz {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t data_bytes = 64;  // of every seed

/// The length that a header needs before it, so that changed headers are not all refused for it.
std::string with_length(const std::string& header) {
  std::string bytes;
  for (int byte = 0; byte < 8; ++byte)
    bytes += static_cast<char>(static_cast<std::uint64_t>(header.size()) >> (8 * byte));
  return bytes + header;
}

/// An index goes beside two shards, a header before values; other inputs are whole files.
fs::path write_checkpoint(const std::string& input, const fs::path& folder) {
  if (input.find("\"weight_map\"") != input.npos) {
    write_file(folder / "one.safetensors",
               with_length(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})") + "data");
    write_file(folder / "two.safetensors",
               with_length(R"({"b":{"dtype":"F16","shape":[],"data_offsets":[0,2]}})") + "da");
    return write_file(folder / "model.safetensors.index.json", input);
  }
  const bool is_header = input.starts_with('{');
  return write_file(folder / "model.safetensors",
                    is_header ? with_length(input) + std::string(data_bytes, '\0') : input);
}

void read_checkpoint(const std::string& input, const fs::path& folder) {
  const files::SafetensorsLayout layout = files::read_layout(write_checkpoint(input, folder));
  // As ranks hand it on.
  const files::SafetensorsLayout received = files::layout_from_text(files::text_of(layout));
  if (received.tensors.size() != layout.tensors.size())
    throw std::logic_error("the layout changes on its way");
}

std::vector<std::string> seeds() {
  const std::string mixed = R"({"__metadata__":{"format":"pt","note":"\u00e9"},)"
                            R"("w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                            R"("empty":{"dtype":"I64","shape":[0,5],"data_offsets":[24,24]},)"
                            R"("scalar":{"dtype":"F64","shape":[],"data_offsets":[24,32]},)"
                            R"("half":{"dtype":"BF16","shape":[2,2,4],"data_offsets":[32,64]}})";
  std::string many = "{";
  for (int i = 0; i < 16; ++i)
    many += fmt::format(
        R"({}"model.layers.{}.weight":{{"dtype":"F16","shape":[1,2],"data_offsets":[{},{}]}})",
        i == 0 ? "" : ",", i, 4 * i, 4 * i + 4);
  many += "}      ";
  return {
      mixed, many, with_length(mixed) + std::string(data_bytes, '\1'), with_length("{}"),
      R"({"metadata":{"total_size":6},"weight_map":{"a":"one.safetensors","b":"two.safetensors"}})"};
}

}  // namespace

Target safetensors_files() {
  return {.name = "safetensors",
          .seeds = seeds(),
          .words = {"\"F32\"", "\"F8_E4M3\"", "\"BOOL\"", "\"U64\"", "\"F4\"",
                    "\"__metadata__\":{\"a\":\"b\"},", "\"shape\":[],", "\"dtype\":\"F32\",",
                    "\"data_offsets\":[0,0],", "\\u0000", "\\ud800", "\"weight_map\"",
                    "\"../one.safetensors\"", "\"..\"", "\"/\"", "\"\":{},", "9223372036854775807,",
                    "4294967296,4294967296,", "\xff\xfe"},
          .read = read_checkpoint};
}

}  // namespace rankine::fuzz
