#include "models/export/export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/profile.hpp"
#include "core/version.hpp"
#include "files/output_folder.hpp"
#include "files/safetensors/tensor_rows.hpp"
#include "models/export/companion_files.hpp"
#include "models/export/export_plan.hpp"
#include "parallel/agreement.hpp"
#include "weights/rows/gather_rows.hpp"
#include "weights/storage/parameter.hpp"

namespace rankine::models {

using files::SafetensorsReader;
using files::SafetensorsWriter;
using files::TensorEntry;
using parallel::Communicator;
using parallel::Teams;
using torch::Tensor;
using weights::RowSplit;

namespace {

/// This rank's share of the rows of a tensor, as they are in the original.
template <class T>
void copy_rows(const SafetensorsReader& reader, SafetensorsWriter& writer,
               const TensorEntry& tensor, const Communicator& world) {
  const files::TensorRows rows(tensor.shape);
  const auto split = RowSplit::even(rows.count, world.size());
  const std::int64_t first = split.first(world.rank()), own = split.count(world.rank());
  const std::int64_t piece =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(files::longest_conversion) / rows.length);
  std::vector<T> values;
  for (std::int64_t done = 0; done < own; done += piece) {
    const std::int64_t count = std::min(piece, own - done);
    values.resize(static_cast<std::size_t>(count * rows.length));
    reader.read_rows(tensor, first + done, count, std::span(values));
    writer.write_rows(tensor.name, first + done, std::span<const T>(values));
  }
}

/// Exact for all types that can be written.
void copy(const SafetensorsReader& reader, SafetensorsWriter& writer, const TensorEntry& tensor,
          const Communicator& world) {
  const bool fits_float =
      files::size_of(tensor.type) < 4 || tensor.type == files::DataType::float32;
  (fits_float ? copy_rows<float> : copy_rows<double>)(reader, writer, tensor, world);
}

/// The rows of the group's dense tensor that this rank writes.
struct OwnRows {
  std::int64_t first;
  Tensor values;
};

/// An even share of a tensor that several weights make up, or that is stored inputs x outputs.
/// Collective over the team.
OwnRows own_share(const TensorGroup& group, const Communicator& team) {
  std::vector<Tensor> parts;
  std::vector<std::int64_t> places;
  for (std::size_t w = 0; w < group.weights.size(); ++w) {
    const weights::Weight& weight = *group.weights[w];
    parts.push_back(weights::gather_rows(team, weight.own_rows(), weight.split()));
    for (std::int64_t row = 0; row < weight.outputs(); ++row)
      places.push_back(group.places[w].place(row));
  }
  const Tensor rows = torch::cat(parts, 0);
  Tensor whole = torch::empty_like(rows);
  whole.index_copy_(0, torch::tensor(places, torch::kInt64), rows);
  if (group.places[0].stored == LayerWeight::Stored::columns) whole = whole.t();
  const auto share = RowSplit::even(whole.size(0), team.size());
  const std::int64_t first = share.first(team.rank());
  return {first, whole.narrow(0, first, share.count(team.rank()))};
}

OwnRows own_dense_rows(const TensorGroup& group, const Communicator& team) {
  if (group.is_narrow) {
    const weights::Parameter left = group.weights[0]->parameters()[0];
    return {left.first_row, left.values.detach()};
  }
  const bool is_shared = group.places.size() > 1;
  if (is_shared || group.places[0].stored == LayerWeight::Stored::columns)
    return own_share(group, team);
  return {group.weights[0]->split().first(team.rank()), group.weights[0]->own_rows()};
}

void write_group(const TensorGroup& group, SafetensorsWriter& writer, const Communicator& world,
                 const Teams& teams) {
  // A form may gather its factors for its rows, so all teams make them; the first one writes.
  std::optional<OwnRows> rows;
  if (!group.keeps_forms) rows = own_dense_rows(group, teams.team());
  parallel::agree_on_failure(world, [&] {
    if (teams.index() != 0) return;
    if (!rows) {
      for (std::size_t w = 0; w < group.weights.size(); ++w)
        group.weights[w]->write(writer, group.places[w].name);
      return;
    }
    const weights::Parameter own{
        .name = group.places[0].tensor(), .values = rows->values, .first_row = rows->first};
    weights::write_parameter(writer, own.name, own, teams.team().rank());
  });
}

std::string method_of(const Export& wanted, const std::optional<Manifest>& before) {
  return before ? before->method + "; " + wanted.method : wanted.method;
}

}  // namespace

namespace {

std::uint64_t bytes_of_tensors(const auto& tensors) {
  std::uint64_t sum = 0;
  for (const auto& tensor : tensors) {
    std::uint64_t bytes = files::size_of(tensor.type);
    for (const std::int64_t length : tensor.shape) bytes *= static_cast<std::uint64_t>(length);
    sum += bytes;
  }
  return sum;
}

}  // namespace

std::uint64_t checkpoint_bytes(const Communicator& world, const std::filesystem::path& folder) {
  return bytes_of_tensors(SafetensorsReader(world, folder).entries());
}

std::uint64_t checkpoint_bytes(const Communicator& world, const std::filesystem::path& original,
                               const LanguageModel& model, ExportFormat format) {
  const SafetensorsReader reader(world, original);
  const auto manifest = parallel::agree_on_failure(world, [&] { return read_manifest(original); });
  const torch::NoGradGuard no_gradients;
  return bytes_of_tensors(plan_checkpoint(model, reader, manifest, format).tensors());
}

void write_checkpoint(const LanguageModel& model, const Communicator& world, const Teams& teams,
                      const Export& wanted) {
  const ProfileStage stage("export");
  const SafetensorsReader reader(world, wanted.original);
  const auto before =
      parallel::agree_on_failure(world, [&] { return read_manifest(wanted.original); });
  const torch::NoGradGuard no_gradients;
  const CheckpointPlan plan = plan_checkpoint(model, reader, before, wanted.format);
  SafetensorsWriter writer(world, wanted.folder, plan.tensors());
  for (const TensorEntry& entry : plan.copied)
    parallel::agree_on_failure(world, [&] { copy(reader, writer, entry, world); });
  for (const TensorGroup& group : plan.groups) write_group(group, writer, world, teams);
  // From here until all is in place the folder is no model in native form, of whatever age.
  parallel::agree_on_failure(world, [&] {
    if (world.rank() == 0) remove_manifest(wanted.folder);
  });
  writer.complete();
  const bool is_native = wanted.format == ExportFormat::native;
  std::optional<files::TensorChecksums> checksums;
  if (is_native) checksums = files::checksums_of(world, wanted.folder);
  parallel::agree_on_failure(world, [&] {
    if (world.rank() != 0) return;
    write_companions(model, wanted, plan);
    if (is_native)
      write_manifest(wanted.folder, {.program_version = program_version(),
                                     .git_commit = git_commit(),
                                     .method = method_of(wanted, before),
                                     .precision = wanted.precision,
                                     .weights = stored_forms(plan),
                                     .checksums = std::move(checksums)});
  });
  log().info("checkpoint in {}", name_of(wanted.folder));
}

void materialize(const Communicator& world, const std::filesystem::path& native,
                 const std::filesystem::path& output) {
  const Manifest manifest = parallel::agree_on_failure(world, [&] {
    auto found = read_manifest(native);
    if (!found)
      throw InputError(
          fmt::format("'{}' is no compressed model (there is no {} in it). Name a folder that "
                      "export.format = \"native\" or \"factorised\" wrote.",
                      native.string(), manifest_file_name));
    std::error_code ignored;
    if (std::filesystem::equivalent(native, output, ignored))
      throw InputError(fmt::format(
          "'{}' is the folder of the compressed model itself (it would be overwritten while it is "
          "read). Name another folder for the checkpoint.",
          output.string()));
    files::check_folder_writable(output, fmt::format("'{}'", output.string()));
    return std::move(*found);
  });
  const Teams one_team(world, 1);
  const auto model = LanguageModel::read(world, one_team.team(), native, manifest.precision);
  log().info("{}: {}", name_of(native), manifest.method);
  write_checkpoint(model, world, one_team, {.original = native, .folder = output});
}

}  // namespace rankine::models
