#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/contracts.hpp"
#include "core/errors.hpp"
#include "files/safetensors/layout.hpp"
#include "files/safetensors/safetensors.hpp"
#include "files/safetensors/tensor_rows.hpp"
#include "parallel/file.hpp"

namespace rankine::files {

namespace fs = std::filesystem;

struct SafetensorsReader::State {
  fs::path path;
  SafetensorsLayout layout;
  std::vector<std::optional<parallel::File>> open_shards;  ///< opened when first needed
  std::uint64_t bytes_read = 0;

  fs::path file_of(const TensorEntry& tensor) const {
    return folder_of(path) / layout.shards[tensor.shard];
  }

  const parallel::File& shard_of(const TensorEntry& tensor) {
    auto& shard = open_shards[tensor.shard];
    if (!shard) shard.emplace(file_of(tensor), parallel::File::Access::read);
    return *shard;
  }

  template <class Value>
  void read_rows(const TensorEntry& tensor, std::int64_t first, std::int64_t rows,
                 std::span<Value> values);
};

namespace {

/// Whether the file holds these values just as memory does.
template <class Value>
bool is_stored_as(DataType type) {
  return type == (sizeof(Value) == sizeof(double) ? DataType::float64 : DataType::float32);
}

}  // namespace

template <class Value>
void SafetensorsReader::State::read_rows(const TensorEntry& tensor, std::int64_t first,
                                         [[maybe_unused]] std::int64_t rows,
                                         std::span<Value> values) {
  const TensorRows shape(tensor.shape);
  RANKINE_EXPECTS(first >= 0 && rows >= 0 && first + rows <= shape.count, "rows of the tensor");
  RANKINE_EXPECTS(values.size() == static_cast<std::size_t>(rows * shape.length),
                  "room for exactly the rows asked for");
  if (values.empty()) return;
  const std::size_t size = size_of(tensor.type);
  const std::uint64_t begin =
      tensor.begin + static_cast<std::uint64_t>(first * shape.length) * size;
  const parallel::File& shard = shard_of(tensor);
  bytes_read += values.size() * size;
  if (is_stored_as<Value>(tensor.type)) {
    return shard.read(begin, std::as_writable_bytes(values));
  }
  std::vector<std::byte> buffer(std::min(values.size() * size, longest_conversion));
  for (std::size_t done = 0; done < values.size();) {
    const std::size_t count = std::min(values.size() - done, buffer.size() / size);
    const auto bytes = std::span(buffer).first(count * size);
    shard.read(begin + done * size, bytes);
    decode(tensor.type, bytes, values.subspan(done, count));
    done += count;
  }
}

SafetensorsReader::SafetensorsReader(const parallel::Communicator& ranks, const fs::path& path)
    : state_(std::make_unique<State>()) {
  state_->path = path;
  state_->layout = read_layout(ranks, path);
  state_->open_shards.resize(state_->layout.shards.size());
}

SafetensorsReader::SafetensorsReader(SafetensorsReader&&) noexcept = default;
SafetensorsReader& SafetensorsReader::operator=(SafetensorsReader&&) noexcept = default;
SafetensorsReader::~SafetensorsReader() = default;

const std::vector<TensorEntry>& SafetensorsReader::entries() const {
  return state_->layout.tensors;
}

const TensorEntry* SafetensorsReader::find(std::string_view name) const {
  const auto& tensors = state_->layout.tensors;
  const auto found = std::ranges::lower_bound(tensors, name, {}, &TensorEntry::name);
  return found != tensors.end() && found->name == name ? &*found : nullptr;
}

const TensorEntry& SafetensorsReader::at(std::string_view name) const {
  if (const TensorEntry* tensor = find(name)) return *tensor;
  throw InputError(
      fmt::format("There is no tensor '{}' in '{}' (it holds {} others). Name a "
                  "checkpoint of the right kind.",
                  name, state_->path.string(), entries().size()));
}

void SafetensorsReader::read_rows(const TensorEntry& tensor, std::int64_t first, std::int64_t rows,
                                  std::span<float> values) const {
  state_->read_rows(tensor, first, rows, values);
}

void SafetensorsReader::read_rows(const TensorEntry& tensor, std::int64_t first, std::int64_t rows,
                                  std::span<double> values) const {
  state_->read_rows(tensor, first, rows, values);
}

std::uint64_t SafetensorsReader::bytes_read() const { return state_->bytes_read; }

const std::map<std::string, std::string>& SafetensorsReader::metadata() const {
  return state_->layout.metadata;
}

}  // namespace rankine::files
