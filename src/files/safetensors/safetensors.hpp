// Checkpoints in safetensors files: every rank reads and writes its own rows of each tensor.
//
// Format: huggingface.co/docs/safetensors. A checkpoint is one file, or a folder with
// model.safetensors or with shards that model.safetensors.index.json lists.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "files/data_type.hpp"
#include "parallel/communicator.hpp"

namespace rankine::files {

/// Where a tensor lies: `bytes` bytes from byte `begin` (absolute) of shard `shard`, row-major.
struct TensorEntry {
  std::string name;
  DataType type;
  std::vector<std::int64_t> shape;
  std::size_t shard;
  std::uint64_t begin;
  std::uint64_t bytes;
};

/// The tensors of a checkpoint. Headers are read and checked once, by rank 0; values are read
/// through MPI-IO by the rank that asks for them, straight from their place.
class SafetensorsReader {
 public:
  /// Collective. `path` is a safetensors file or the folder of a checkpoint. Throws the same
  /// InputError on all ranks, naming file and tensor, if anything about the headers, the index or
  /// the lengths of the files is wrong.
  SafetensorsReader(const parallel::Communicator& ranks, const std::filesystem::path& path);
  SafetensorsReader(SafetensorsReader&&) noexcept;
  SafetensorsReader& operator=(SafetensorsReader&&) noexcept;
  ~SafetensorsReader();

  /// Sorted by name.
  const std::vector<TensorEntry>& entries() const;
  /// nullptr if there is no tensor of that name.
  const TensorEntry* find(std::string_view name) const;
  /// Throws InputError, naming tensor and file, if there is no tensor of that name.
  const TensorEntry& at(std::string_view name) const;

  /// Rows [first, first + rows) of the first axis; every element of a tensor with no or one axis is
  /// a row. values.size() is rows times the length of a row. Not collective. Throws InputError,
  /// naming tensor and file, if the file ends too early or cannot be opened any more.
  void read_rows(const TensorEntry& tensor, std::int64_t first, std::int64_t rows,
                 std::span<float> values) const;
  void read_rows(const TensorEntry& tensor, std::int64_t first, std::int64_t rows,
                 std::span<double> values) const;

  /// Bytes of tensor values this rank has read so far.
  std::uint64_t bytes_read() const;
  /// "__metadata__" of all shards.
  const std::map<std::string, std::string>& metadata() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A tensor that is to be written, as a type for which can_encode(type) holds.
struct TensorPlan {
  std::string name;
  DataType type;
  std::vector<std::int64_t> shape;
};

/// Writes model.safetensors, or shards and their index, into a folder. Each rank writes its rows of
/// each tensor. Files carry temporary names until `complete`; a writer destroyed before that
/// removes them.
class SafetensorsWriter {
 public:
  /// Collective; the plan is the same on all ranks and `ranks` outlives the writer. Creates the
  /// folder if need be. A shard holds at most `largest_shard` bytes of values, or one tensor larger
  /// than that. Throws InputError (bad plan, no permission) or ResourceError on all ranks.
  SafetensorsWriter(const parallel::Communicator& ranks, const std::filesystem::path& folder,
                    std::vector<TensorPlan> tensors, std::uint64_t largest_shard = 5'000'000'000);
  SafetensorsWriter(SafetensorsWriter&&) noexcept;
  SafetensorsWriter& operator=(SafetensorsWriter&&) noexcept;
  ~SafetensorsWriter();

  /// Rows of the first axis from `first` on (as in read_rows), converted to the planned type
  /// (rounded to nearest, ties to even; integers exactly). Not collective; every row is written
  /// once, by any rank.
  void write_rows(std::string_view name, std::int64_t first, std::span<const float> values);
  void write_rows(std::string_view name, std::int64_t first, std::span<const double> values);

  /// Collective. Gives the files their final names once all ranks have all bytes on disk. Replaces
  /// an earlier checkpoint in the folder. Throws on all ranks, leaving no new final name, if rows
  /// are missing or a file could not be written.
  void complete();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rankine::files
