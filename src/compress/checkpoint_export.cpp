#include "compress/checkpoint_export.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <vector>

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
    "config.json",           "generation_config.json",  "tokenizer.json", "tokenizer_config.json",
    "tokenizer.model",       "special_tokens_map.json", "vocab.json",     "merges.txt",
    "chat_template.jinja"};

void copy_companions(const std::filesystem::path& original, const std::filesystem::path& folder) {
  for (const char* name : companions) {
    if (!std::filesystem::is_regular_file(original / name)) continue;
    const std::string bytes = files::read_text(original / name);
    files::write_atomically(folder / name, std::as_bytes(std::span(bytes)));
  }
}

/// This rank's share of the rows of a tensor, as they are in the original.
void copy_rows(const SafetensorsReader& reader, SafetensorsWriter& writer, const TensorEntry& tensor,
               int rank, int n_ranks) {
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

void write_weight(const weights::Weight& weight, SafetensorsWriter& writer, const std::string& name,
                  const torch::Tensor& own_rows, int rank) {
  const torch::Tensor values = own_rows.detach().to(torch::kFloat32).contiguous();
  writer.write_rows(name, weight.split().first(rank),
                    {values.data_ptr<float>(), static_cast<std::size_t>(values.numel())});
}

}  // namespace

void write_checkpoint(const models::LanguageModel& model, const Communicator& world,
                      const Teams& teams, const std::filesystem::path& original,
                      const std::filesystem::path& folder) {
  const SafetensorsReader reader(world, original);
  std::map<std::string, const models::Projection*> projections;
  for (const models::TransformerLayer& layer : model.layers())
    for (const models::Projection* projection : layer.projections())
      projections[projection->name + ".weight"] = projection;
  std::vector<files::TensorPlan> plan;
  for (const TensorEntry& entry : reader.entries())
    plan.push_back({entry.name, entry.type, entry.shape});
  SafetensorsWriter writer(world, folder, plan);
  for (const TensorEntry& entry : reader.entries()) {
    const auto place = projections.find(entry.name);
    if (place == projections.end()) {
      parallel::agree_on_failure(
          world, [&] { copy_rows(reader, writer, entry, world.rank(), world.size()); });
      continue;
    }
    // The form may gather its factors, so all teams make their rows; the first one writes them.
    const torch::Tensor own_rows = place->second->weight->own_rows();
    parallel::agree_on_failure(world, [&] {
      if (teams.index() == 0)
        write_weight(*place->second->weight, writer, entry.name, own_rows, teams.team().rank());
    });
  }
  writer.complete();
  parallel::agree_on_failure(world, [&] {
    if (world.rank() == 0) copy_companions(files::folder_of(original), folder);
  });
  log().info("dense checkpoint in {}", folder.filename().string());
}

}  // namespace rankine::compress
