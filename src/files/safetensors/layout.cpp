#include "files/safetensors/layout.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/errors.hpp"
#include "core/input_file.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"
#include "files/json_document.hpp"
#include "files/safetensors/header.hpp"
#include "parallel/agreement.hpp"

namespace rankine::files {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

[[noreturn]] void refuse_index(const fs::path& index, const std::string& reason) {
  throw InputError(
      fmt::format("Cannot use '{}' ({}). Obtain the checkpoint anew.", index.string(), reason));
}

/// A plain name: an index must not lead out of its folder.
bool is_file_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

/// Tensor name to shard name.
std::map<std::string, std::string> read_weight_map(const fs::path& index) {
  const json document = read_json(index);
  if (!document.is_object() || !document.contains("weight_map") ||
      !document["weight_map"].is_object()) {
    refuse_index(index, "it has no object 'weight_map'");
  }
  std::map<std::string, std::string> shard_of;
  for (const auto& [tensor, shard] : document["weight_map"].items()) {
    if (!shard.is_string() || !is_file_name(shard.get<std::string>())) {
      refuse_index(index, fmt::format("for tensor '{}' it names no file of its folder", tensor));
    }
    shard_of.emplace(tensor, shard.get<std::string>());
  }
  return shard_of;
}

void append(SafetensorsLayout& layout, SafetensorsHeader header) {
  std::ranges::move(header.tensors, std::back_inserter(layout.tensors));
  layout.metadata.merge(header.metadata);
}

/// Leaves in `header` the tensors that the index sees in `shard`, and tells of the others.
std::vector<std::string> take_listed(SafetensorsHeader& header, const std::string& shard,
                                     const fs::path& index,
                                     const std::map<std::string, std::string>& shard_of) {
  std::vector<std::string> left_out;
  std::set<std::string_view> held;
  const auto is_unlisted = [&](const TensorEntry& tensor) {
    const auto entry = shard_of.find(tensor.name);
    if (entry != shard_of.end() && entry->second == shard) return false;
    const std::string place = entry == shard_of.end() ? "nowhere" : "in '" + entry->second + "'";
    left_out.push_back(
        fmt::format("'{}' of '{}', which the index sees {}", tensor.name, shard, place));
    return true;
  };
  std::erase_if(header.tensors, is_unlisted);
  for (const TensorEntry& tensor : header.tensors) held.insert(tensor.name);
  for (const auto& [tensor, its_shard] : shard_of) {
    if (its_shard == shard && !held.contains(tensor)) {
      refuse_index(index,
                   fmt::format("it sees tensor '{}' in '{}', which lacks it", tensor, shard));
    }
  }
  return left_out;
}

void log_left_out(const SafetensorsLayout& layout, const fs::path& path) {
  if (layout.left_out.empty()) return;
  log().warn("'{}': {} left out: tensor {}{}", path.string(),
             counted(std::ssize(layout.left_out), "tensor"), layout.left_out.front(),
             layout.left_out.size() > 1 ? " (the first)" : "");
}

SafetensorsLayout read_shards(const fs::path& index) {
  const auto shard_of = read_weight_map(index);
  SafetensorsLayout layout;
  for (const auto& [tensor, shard] : shard_of) layout.shards.push_back(shard);
  std::ranges::sort(layout.shards);
  layout.shards.erase(std::unique(layout.shards.begin(), layout.shards.end()), layout.shards.end());
  for (std::size_t number = 0; number < layout.shards.size(); ++number) {
    const std::string& shard = layout.shards[number];
    const fs::path file = index.parent_path() / shard;
    if (!input_exists(file)) {
      refuse_index(index, fmt::format("its shard '{}' is missing", shard));
    }
    SafetensorsHeader header = read_header(file, number);
    std::ranges::move(take_listed(header, shard, index, shard_of),
                      std::back_inserter(layout.left_out));
    append(layout, std::move(header));
  }
  return layout;
}

SafetensorsLayout read_single(const fs::path& file) {
  SafetensorsLayout layout;
  layout.shards.push_back(file.filename().string());
  append(layout, read_header(file, 0));
  return layout;
}

SafetensorsLayout read_any(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    throw InputError(
        fmt::format("There is no checkpoint '{}' ({}). Name a safetensors file or the folder of a "
                    "model.",
                    path.string(), reason_of_absence(path)));
  }
  if (!fs::is_directory(path, ignored)) {
    return path.string().ends_with(".json") ? read_shards(path) : read_single(path);
  }
  if (input_exists(path / single_file_name)) return read_single(path / single_file_name);
  if (input_exists(path / index_file_name)) return read_shards(path / index_file_name);
  throw InputError(
      fmt::format("There is no checkpoint in '{}' (it holds neither {} nor {}). Name "
                  "a safetensors file or the folder of a model.",
                  path.string(), single_file_name, index_file_name));
}

}  // namespace

fs::path folder_of(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored) ? path : path.parent_path();
}

SafetensorsLayout read_layout(const fs::path& path) {
  SafetensorsLayout layout = read_any(path);
  std::ranges::sort(layout.tensors, {}, &TensorEntry::name);
  return layout;
}

SafetensorsLayout read_layout(const parallel::Communicator& ranks, const fs::path& path) {
  std::string text = parallel::agree_on_failure(ranks, [&] {
    if (ranks.rank() != 0) return std::string();
    try {
      const SafetensorsLayout layout = read_layout(path);
      log_left_out(layout, path);
      return text_of(layout);
    } catch (InputError& error) {
      error.mark_agreed(ranks.size());  // about the file, not about this rank
      throw;
    }
  });
  return layout_from_text(ranks.broadcast(std::move(text), 0));
}

std::string text_of(const SafetensorsLayout& layout) {
  json tensors = json::array();
  for (const TensorEntry& tensor : layout.tensors) {
    tensors.push_back({tensor.name, name_of(tensor.type), tensor.shape, tensor.shard, tensor.begin,
                       tensor.bytes});
  }
  const auto bytes = json::to_cbor(json{
      {"shards", layout.shards}, {"tensors", std::move(tensors)}, {"metadata", layout.metadata}});
  return std::string(bytes.begin(), bytes.end());
}

SafetensorsLayout layout_from_text(const std::string& text) {
  const json document = json::from_cbor(text);
  SafetensorsLayout layout;
  document.at("shards").get_to(layout.shards);
  document.at("metadata").get_to(layout.metadata);
  for (const json& tensor : document.at("tensors")) {
    layout.tensors.push_back(
        {tensor[0].get<std::string>(), data_type_named(tensor[1].get<std::string>()).value(),
         tensor[2].get<std::vector<std::int64_t>>(), tensor[3].get<std::size_t>(),
         tensor[4].get<std::uint64_t>(), tensor[5].get<std::uint64_t>()});
  }
  return layout;
}

}  // namespace rankine::files
