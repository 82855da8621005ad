#include "compress/checkpoint_export.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "compress/modelling_file.hpp"
#include "core/log.hpp"
#include "files/json_document.hpp"
#include "files/output_file.hpp"
#include "files/safetensors.hpp"
#include "files/safetensors_layout.hpp"
#include "files/tensor_rows.hpp"
#include "parallel/agreement.hpp"
#include "weights/row_split.hpp"

namespace rankine::compress {

using files::SafetensorsReader;
using files::SafetensorsWriter;
using files::TensorEntry;
using parallel::Communicator;
using parallel::Teams;

namespace {

constexpr const char* companions[] = {
    "config.json",        "generation_config.json",  "tokenizer.json", "tokenizer_config.json",
    "tokenizer.model",    "special_tokens_map.json", "vocab.json",     "merges.txt",
    "chat_template.jinja"};

void write_text(const std::filesystem::path& path, const std::string& text) {
  files::write_atomically(path, std::as_bytes(std::span(text)));
}

void write_companions(const models::LanguageModel& model, const std::filesystem::path& original,
                      const std::filesystem::path& folder, ExportFormat format) {
  for (const char* name : companions)
    if (std::filesystem::is_regular_file(original / name))
      write_text(folder / name, files::read_text(original / name));
  if (format == ExportFormat::dense) return;
  write_text(folder / modelling_file_name, modelling_source());
  write_text(folder / "config.json",
             factorised_config(files::read_text(original / "config.json"), model));
}

/// This rank's share of the rows of a tensor, as they are in the original.
void copy_rows(const SafetensorsReader& reader, SafetensorsWriter& writer,
               const TensorEntry& tensor, int rank, int n_ranks) {
  const files::TensorRows rows(tensor.shape);
  const auto split = weights::RowSplit::even(rows.count, n_ranks);
  const std::int64_t piece =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(files::longest_conversion) / rows.length);
  std::vector<float> values;
  for (std::int64_t done = 0; done < split.count(rank); done += piece) {
    const std::int64_t count = std::min(piece, split.count(rank) - done);
    values.resize(static_cast<std::size_t>(count * rows.length));
    reader.read_rows(tensor, split.first(rank) + done, count, std::span(values));
    writer.write_rows(tensor.name, split.first(rank) + done, values);
  }
}

void write_dense(const weights::Weight& weight, SafetensorsWriter& writer, const std::string& name,
                 const torch::Tensor& own_rows, int rank) {
  const torch::Tensor values = own_rows.detach().to(torch::kFloat32).contiguous();
  writer.write_rows(name, weight.split().first(rank),
                    {values.data_ptr<float>(), static_cast<std::size_t>(values.numel())});
}

/// The weights of the layers by the name of their tensor in the original.
using Weights = std::map<std::string, const models::Projection*>;

Weights weights_of_layers(const models::LanguageModel& model) {
  Weights all;
  for (const models::TransformerLayer& layer : model.layers())
    for (const models::Projection* projection : layer.projections())
      all[projection->name + ".weight"] = projection;
  return all;
}

bool keeps_its_form(const models::Projection& projection, ExportFormat format) {
  return format == ExportFormat::factorised && projection.weight->form() != "dense";
}

std::vector<files::TensorPlan> plan_tensors(const SafetensorsReader& reader, const Weights& weights,
                                            ExportFormat format) {
  std::vector<files::TensorPlan> plan;
  for (const TensorEntry& entry : reader.entries()) {
    const auto place = weights.find(entry.name);
    if (place == weights.end() || !keeps_its_form(*place->second, format)) {
      plan.push_back({entry.name, entry.type, entry.shape});
      continue;
    }
    for (files::TensorPlan& tensor : place->second->weight->plan(place->second->name, entry.type))
      plan.push_back(std::move(tensor));
  }
  return plan;
}

}  // namespace

void write_checkpoint(const models::LanguageModel& model, const Communicator& world,
                      const Teams& teams, const std::filesystem::path& original,
                      const std::filesystem::path& folder, ExportFormat format) {
  const SafetensorsReader reader(world, original);
  const Weights weights = weights_of_layers(model);
  SafetensorsWriter writer(world, folder, plan_tensors(reader, weights, format));
  for (const TensorEntry& entry : reader.entries()) {
    const auto place = weights.find(entry.name);
    if (place == weights.end()) {
      parallel::agree_on_failure(
          world, [&] { copy_rows(reader, writer, entry, world.rank(), world.size()); });
      continue;
    }
    const models::Projection& projection = *place->second;
    // A form may gather its factors for its rows, so all teams make them; the first one writes.
    const torch::Tensor own_rows =
        keeps_its_form(projection, format) ? torch::Tensor() : projection.weight->own_rows();
    parallel::agree_on_failure(world, [&] {
      if (teams.index() != 0) return;
      if (own_rows.defined())
        write_dense(*projection.weight, writer, entry.name, own_rows, teams.team().rank());
      else
        projection.weight->write(writer, projection.name);
    });
  }
  writer.complete();
  parallel::agree_on_failure(world, [&] {
    if (world.rank() == 0) write_companions(model, files::folder_of(original), folder, format);
  });
  log().info("checkpoint in {}", folder.filename().string());
}

}  // namespace rankine::compress
