#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include "core/contracts.hpp"
#include "core/errors.hpp"
#include "files/output_file.hpp"
#include "files/safetensors/layout.hpp"
#include "files/safetensors/plan.hpp"
#include "files/safetensors/safetensors.hpp"
#include "files/safetensors/tensor_rows.hpp"
#include "parallel/agreement.hpp"
#include "parallel/file.hpp"

namespace rankine::files {

namespace fs = std::filesystem;

struct SafetensorsWriter::State {
  const parallel::Communicator& ranks;
  fs::path folder;
  ShardPlan plan;
  std::string temporary_ending = {};                       ///< of file names; one for all ranks
  std::vector<std::int64_t> values_written;                ///< of each tensor, by this rank
  std::vector<std::optional<parallel::File>> open_shards;  ///< opened when first needed
  bool is_complete = false;

  State(const parallel::Communicator& the_ranks, fs::path the_folder, ShardPlan the_plan)
      : ranks(the_ranks),
        folder(std::move(the_folder)),
        plan(std::move(the_plan)),
        values_written(plan.tensors.size()),
        open_shards(plan.shards.size()) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (!is_complete && ranks.rank() == 0) remove_temporary_files();
  }

  fs::path temporary_path(const PlannedShard& shard) const {
    return folder / (shard.name + temporary_ending);
  }
  void create_temporary_files() const;
  void remove_temporary_files() const noexcept;
  parallel::File& open_shard(std::size_t number);
  template <class T>
  void write_rows(std::string_view name, std::int64_t first, std::span<const T> values);
  void check_all_written() const;
  void put_in_place() const;
};

/// Each with its header and its full length; the values follow in any order.
void SafetensorsWriter::State::create_temporary_files() const {
  std::error_code error;
  fs::create_directories(folder, error);
  for (const PlannedShard& shard : plan.shards) {
    const fs::path path = temporary_path(shard);
    remove_leftovers(folder / shard.name);
    write_atomically(path, std::as_bytes(std::span(shard.header)));
    fs::resize_file(path, shard.bytes, error);
    if (error) {
      throw ResourceError(
          fmt::format("Cannot write {} bytes to '{}' ({}). Free space there or choose another "
                      "folder.",
                      shard.bytes, path.string(), error.message()));
    }
  }
}

void SafetensorsWriter::State::remove_temporary_files() const noexcept {
  for (const PlannedShard& shard : plan.shards) {
    std::error_code ignored;
    fs::remove(temporary_path(shard), ignored);
  }
}

parallel::File& SafetensorsWriter::State::open_shard(std::size_t number) {
  auto& shard = open_shards[number];
  if (!shard) shard.emplace(temporary_path(plan.shards[number]), parallel::File::Access::write);
  return *shard;
}

template <class T>
void SafetensorsWriter::State::write_rows(std::string_view name, std::int64_t first,
                                          std::span<const T> values) {
  constexpr DataType own_type = sizeof(T) == 8 ? DataType::float64 : DataType::float32;
  const auto& tensors = plan.tensors;
  const auto found = std::ranges::lower_bound(tensors, name, {}, &TensorEntry::name);
  RANKINE_EXPECTS(found != tensors.end() && found->name == name, "a tensor of the plan");
  const TensorRows rows(found->shape);
  const auto first_value = first * rows.length;
  const auto n_values = static_cast<std::int64_t>(values.size());
  RANKINE_EXPECTS(rows.length == 0 || n_values % rows.length == 0, "whole rows");
  RANKINE_EXPECTS(first >= 0 && first_value + n_values <= rows.count * rows.length,
                  "rows of the tensor");
  if (values.empty()) return;
  const std::size_t size = size_of(found->type);
  const std::uint64_t begin = found->begin + static_cast<std::uint64_t>(first_value) * size;
  parallel::File& shard = open_shard(found->shard);
  if (found->type == own_type) {
    shard.write(begin, std::as_bytes(values));
  } else {
    std::vector<std::byte> buffer(std::min(values.size() * size, longest_conversion));
    for (std::size_t done = 0; done < values.size();) {
      const std::size_t count = std::min(values.size() - done, buffer.size() / size);
      const auto bytes = std::span(buffer).first(count * size);
      encode(found->type, values.subspan(done, count), bytes);
      shard.write(begin + done * size, bytes);
      done += count;
    }
  }
  values_written[static_cast<std::size_t>(found - tensors.begin())] += n_values;
}

/// Collective.
void SafetensorsWriter::State::check_all_written() const {
  std::vector<std::int64_t> written = values_written;
  ranks.sum(std::span(written));
  for (std::size_t i = 0; i < written.size(); ++i) {
    const TensorRows rows(plan.tensors[i].shape);
    if (written[i] == rows.count * rows.length) continue;
    throw known_to_all(
        ranks.size(),
        Error(ExitCode::internal,
              fmt::format("{} of {} values of tensor '{}' were written to '{}'. Please report this "
                          "as a defect.",
                          written[i], rows.count * rows.length, plan.tensors[i].name,
                          folder.string()),
              std::source_location::current()));
  }
}

/// At no moment does the folder show a checkpoint of old and new shards.
void SafetensorsWriter::State::put_in_place() const {
  std::error_code ignored;
  if (!plan.index.empty()) fs::remove(folder / index_file_name, ignored);
  for (const PlannedShard& shard : plan.shards) {
    rename_file(temporary_path(shard), folder / shard.name);
  }
  if (plan.index.empty()) {
    fs::remove(folder / index_file_name, ignored);
  } else {
    write_atomically(folder / index_file_name, std::as_bytes(std::span(plan.index)));
    fs::remove(folder / single_file_name, ignored);
  }
}

SafetensorsWriter::SafetensorsWriter(const parallel::Communicator& ranks, const fs::path& folder,
                                     std::vector<TensorPlan> tensors, std::uint64_t largest_shard) {
  parallel::agree_on_failure(ranks, [&] {
    state_ = std::make_unique<State>(ranks, folder,
                                     plan_shards(std::move(tensors), largest_shard, folder));
  });
  state_->temporary_ending = ranks.broadcast(temporary_name("").string(), 0);
  parallel::agree_on_failure(ranks, [&] {
    if (ranks.rank() == 0) state_->create_temporary_files();
  });
}

SafetensorsWriter::SafetensorsWriter(SafetensorsWriter&&) noexcept = default;
SafetensorsWriter& SafetensorsWriter::operator=(SafetensorsWriter&&) noexcept = default;
SafetensorsWriter::~SafetensorsWriter() = default;

void SafetensorsWriter::write_rows(std::string_view name, std::int64_t first,
                                   std::span<const float> values) {
  state_->write_rows(name, first, values);
}

void SafetensorsWriter::write_rows(std::string_view name, std::int64_t first,
                                   std::span<const double> values) {
  state_->write_rows(name, first, values);
}

void SafetensorsWriter::complete() {
  parallel::agree_on_failure(state_->ranks, [this] {
    for (auto& shard : state_->open_shards) {
      if (shard) shard->synchronize();
      shard.reset();
    }
  });
  state_->check_all_written();
  parallel::agree_on_failure(state_->ranks, [this] {
    if (state_->ranks.rank() == 0) state_->put_in_place();
  });
  state_->is_complete = true;
}

}  // namespace rankine::files
