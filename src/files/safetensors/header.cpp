#include "files/safetensors/header.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "core/errors.hpp"
#include "core/input_file.hpp"
#include "core/text_format.hpp"
#include "files/json_document.hpp"

namespace rankine::files {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::uint64_t length_bytes = 8;

[[noreturn]] void refuse_file(const fs::path& file, const std::string& reason) {
  throw InputError(
      fmt::format("Cannot use '{}' ({}). Obtain the file anew.", file.string(), reason));
}

[[noreturn]] void refuse_tensor(const fs::path& file, const std::string& tensor,
                                const std::string& reason) {
  throw InputError(fmt::format("Cannot use tensor '{}' of '{}' ({}). Obtain the file anew.", tensor,
                               file.string(), reason));
}

struct HeaderText {
  std::string text;
  std::uint64_t file_bytes;
};

HeaderText read_header_text(const fs::path& file) {
  const InputStart start = read_input_start(file, length_bytes);
  if (start.file_bytes < length_bytes) {
    refuse_file(file, fmt::format("it has {}, too few for a safetensors file",
                                  counted(static_cast<std::int64_t>(start.file_bytes), "byte")));
  }
  std::uint64_t length = 0;
  std::memcpy(&length, start.bytes.data(), std::min<std::size_t>(start.bytes.size(), length_bytes));
  if (length > longest_header) {
    refuse_file(file, fmt::format("its header would have {} bytes; the format allows {}", length,
                                  longest_header));
  }
  if (length > start.file_bytes - length_bytes) {
    refuse_file(file, fmt::format("its header would have {} bytes, but the file has only {}",
                                  length, start.file_bytes));
  }
  const InputStart whole = read_input_start(file, length_bytes + length);
  if (whole.bytes.size() < length_bytes + length) refuse_file(file, "its header cannot be read");
  HeaderText header{whole.bytes.substr(length_bytes), start.file_bytes};
  if (!header.text.starts_with('{')) refuse_file(file, "its header does not begin with '{'");
  return header;
}

std::uint64_t read_offset(const json& value, const fs::path& file, const std::string& tensor) {
  if (!value.is_number_unsigned()) {
    refuse_tensor(file, tensor, "data_offsets are not two byte numbers");
  }
  return value.get<std::uint64_t>();
}

DataType read_type(const json& facts, const fs::path& file, const std::string& tensor) {
  const auto found = facts.find("dtype");
  if (found == facts.end() || !found->is_string()) {
    refuse_tensor(file, tensor, "it has no dtype");
  }
  const auto& name = found->get_ref<const std::string&>();
  const auto type = data_type_named(name);
  if (!type) refuse_tensor(file, tensor, fmt::format("its dtype '{}' is not known", name));
  return *type;
}

std::vector<std::int64_t> read_shape(const json& facts, const fs::path& file,
                                     const std::string& tensor) {
  const auto found = facts.find("shape");
  if (found == facts.end() || !found->is_array()) {
    refuse_tensor(file, tensor, "it has no shape");
  }
  std::vector<std::int64_t> shape;
  for (const json& length : *found) {
    constexpr auto longest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!length.is_number_unsigned() || length.get<std::uint64_t>() > longest) {
      refuse_tensor(file, tensor, fmt::format("its shape holds {}", length.dump()));
    }
    shape.push_back(length.get<std::int64_t>());
  }
  return shape;
}

/// `data_begin`: the byte of the file that offset 0 means.
TensorEntry read_tensor(const std::string& name, const json& facts, const fs::path& file,
                        std::uint64_t data_begin, std::uint64_t file_bytes) {
  if (!facts.is_object()) refuse_tensor(file, name, "its entry is not an object");
  const DataType type = read_type(facts, file, name);
  auto shape = read_shape(facts, file, name);
  const auto offsets = facts.find("data_offsets");
  if (offsets == facts.end() || !offsets->is_array() || offsets->size() != 2) {
    refuse_tensor(file, name, "data_offsets are not two byte numbers");
  }
  const std::uint64_t begin = read_offset((*offsets)[0], file, name);
  const std::uint64_t end = read_offset((*offsets)[1], file, name);
  if (begin > end) refuse_tensor(file, name, fmt::format("it ends at {}, before {}", end, begin));
  if (end > file_bytes - data_begin) {
    refuse_tensor(file, name,
                  fmt::format("it ends {} bytes after the header, where the file has {}: it is cut "
                              "short or the offsets are wrong",
                              end, file_bytes - data_begin));
  }
  const auto values = static_cast<std::uint64_t>(count_values(shape, name, file));
  // Divided, not multiplied: the product could exceed 64 bits.
  if ((end - begin) % size_of(type) != 0 || (end - begin) / size_of(type) != values) {
    refuse_tensor(file, name,
                  fmt::format("its {} cannot be {} of {}",
                              counted(static_cast<std::int64_t>(end - begin), "byte"),
                              counted(static_cast<std::int64_t>(values), "value"), name_of(type)));
  }
  return {name, type, std::move(shape), 0, data_begin + begin, end - begin};
}

std::map<std::string, std::string> read_metadata(const json& facts, const fs::path& file) {
  if (!facts.is_object()) refuse_file(file, "'__metadata__' is not an object");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : facts.items()) {
    if (!value.is_string()) {
      refuse_file(file, fmt::format("'{}' in '__metadata__' is not a text", key));
    }
    metadata.emplace(key, value.get<std::string>());
  }
  return metadata;
}

/// `tensors` are in the order of their bytes.
void check_seamless(std::span<const TensorEntry> tensors, const fs::path& file,
                    std::uint64_t data_begin, std::uint64_t file_bytes) {
  std::uint64_t filled = data_begin;
  const TensorEntry* previous = nullptr;
  for (const TensorEntry& tensor : tensors) {
    if (tensor.begin < filled) {
      refuse_tensor(file, tensor.name, fmt::format("it overlaps tensor '{}'", previous->name));
    }
    if (tensor.begin > filled) {
      refuse_tensor(file, tensor.name,
                    fmt::format("no tensor fills {} before it",
                                counted(static_cast<std::int64_t>(tensor.begin - filled), "byte")));
    }
    filled += tensor.bytes;
    previous = &tensor;
  }
  if (filled < file_bytes) {
    refuse_file(file, fmt::format("no tensor fills {} at its end",
                                  counted(static_cast<std::int64_t>(file_bytes - filled), "byte")));
  }
}

}  // namespace

std::int64_t count_values(std::span<const std::int64_t> shape, const std::string& tensor,
                          const fs::path& file) {
  std::int64_t count = 1;
  for (const std::int64_t length : shape) {
    if (length < 0 || __builtin_mul_overflow(count, length, &count)) {
      refuse_tensor(file, tensor, "its shape is negative or has more than 2^63 - 1 values");
    }
  }
  return count;
}

SafetensorsHeader read_header(const fs::path& file, std::size_t shard) {
  const HeaderText header = read_header_text(file);
  const json document = parse_json(header.text, fmt::format("the header of '{}'", file.string()));
  const std::uint64_t data_begin = length_bytes + header.text.size();
  SafetensorsHeader result;
  for (const auto& [name, facts] : document.items()) {
    if (name == "__metadata__") {
      result.metadata = read_metadata(facts, file);
    } else {
      result.tensors.push_back(read_tensor(name, facts, file, data_begin, header.file_bytes));
      result.tensors.back().shard = shard;
    }
  }
  std::ranges::sort(result.tensors, {}, [](const TensorEntry& tensor) {
    return std::pair(tensor.begin, tensor.bytes);  // an empty tensor before the one it touches
  });
  check_seamless(result.tensors, file, data_begin, header.file_bytes);
  return result;
}

std::string compose_header(std::span<TensorEntry> tensors) {
  nlohmann::ordered_json document;
  document["__metadata__"] = {{"format", "pt"}};
  std::uint64_t end = 0;
  for (TensorEntry& tensor : tensors) {
    tensor.bytes = size_of(tensor.type);
    for (const std::int64_t length : tensor.shape) {
      tensor.bytes *= static_cast<std::uint64_t>(length);
    }
    tensor.begin = end;
    end += tensor.bytes;
    document[tensor.name] = {{"dtype", name_of(tensor.type)},
                             {"shape", tensor.shape},
                             {"data_offsets", {tensor.begin, end}}};
  }
  std::string text = document.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // aligns the values, as the format advises
  const std::uint64_t length = text.size();
  std::string bytes(length_bytes, '\0');
  std::memcpy(bytes.data(), &length, length_bytes);
  for (TensorEntry& tensor : tensors) tensor.begin += length_bytes + length;
  return bytes + text;
}

}  // namespace rankine::files
