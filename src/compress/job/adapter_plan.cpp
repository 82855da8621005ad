#include "compress/job/adapter_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <set>
#include <utility>
#include <vector>

#include "core/errors.hpp"
#include "core/input_file.hpp"
#include "core/text_format.hpp"
#include "files/safetensors/layout.hpp"
#include "models/checkpoint/checkpoint_names.hpp"
#include "models/checkpoint/manifest.hpp"
#include "run/fingerprint.hpp"

namespace rankine::compress {

using weights::AdapterSide;

namespace {

weights::AdapterKind kind_of(Adapter adapter) {
  switch (adapter) {
    case Adapter::block_diagonal:
      return weights::AdapterKind::block_diagonal;
    case Adapter::lora:
      return weights::AdapterKind::lora;
    default:
      return weights::AdapterKind::cayley;
  }
}

/// A side of a weight that blocks act on.
struct Axis {
  const char* name;
  std::int64_t width;
};

std::vector<Axis> axes_of(const AdapterOptions& adapter, const MatrixShape& shape) {
  std::vector<Axis> axes;
  if (!adapter.has_blocks()) return axes;
  if (adapter.side != AdapterSide::outputs) axes.push_back({"inputs", shape.columns});
  if (adapter.side != AdapterSide::inputs) axes.push_back({"outputs", shape.rows});
  return axes;
}

/// The nearest sizes on either side of `block` that may be chosen: "4 and 8".
std::string nearest_divisors(std::int64_t width, std::int64_t block) {
  std::vector<std::int64_t> found;
  for (std::int64_t size = block - 1; size >= 2 && found.empty(); --size)
    if (width % size == 0) found.push_back(size);
  for (std::int64_t size = block + 1; size <= 64; ++size)
    if (width % size == 0) {
      found.push_back(size);
      break;
    }
  if (found.empty()) return "it has no divisor from 2 to 64";
  return fmt::format("the nearest {} {}", found.size() > 1 ? "divisors are" : "divisor is",
                     fmt::join(found, " and "));
}

void check_blocks(const AdapterOptions& adapter, const NamedShape& weight) {
  for (const Axis& axis : axes_of(adapter, weight.shape))
    if (axis.width % adapter.block != 0)
      throw InputError(fmt::format(
          "adapter.block = {} does not divide the {} {} of {} ({}). Choose another block, or leave "
          "the weight out of adapter.weights.",
          adapter.block, axis.width, axis.name, weight.name,
          nearest_divisors(axis.width, adapter.block)));
}

/// PEFT finds modules by the names that Hugging Face's software gives them.
void check_peft_names(const CompressionJob& job) {
  if (job.options.adapter.directory.empty()) return;
  const std::set<std::string> modules = models::linear_modules(job.scoring.config);
  for (const NamedShape& weight : job.adapted)
    if (!modules.contains(weight.name))
      throw InputError(
          fmt::format("adapter.directory is set for a model whose weights are called like {} "
                      "(PEFT's adapters are of linear modules of their own, by transformers' "
                      "names). Drop it; export.format = \"native\" keeps the adapter.",
                      weight.name));
}

void check_bases(const CompressionJob& job) {
  if (job.adapted.empty() || job.is_outline) return;
  const auto manifest = models::read_manifest(job.options.scoring.model.path);
  if (!manifest) return;
  for (const NamedShape& weight : job.adapted) {
    const weights::Form form = manifest->form_of(weight.name).form;
    if (form == weights::Form::rotated || form == weights::Form::updated)
      throw InputError(
          fmt::format("{} has an adapter already in the model {} (there is one at most). Merge it "
                      "into a dense checkpoint with rankine-compress --materialize, or leave the "
                      "weight out of adapter.weights.",
                      weight.name, job.options.scoring.model.path));
  }
}

void check_original(const CompressionJob& job) {
  const AdapterOptions& adapter = job.options.adapter;
  if (adapter.original.empty() || adapter.loss != HealingLoss::distillation) return;
  const models::ModelConfig original = models::read_checked_config(adapter.original, {});
  const models::ModelConfig& own = job.scoring.config;
  if (original.vocabulary_size != own.vocabulary_size)
    throw InputError(fmt::format(
        "the models {} and {} have vocabularies of {} and {} tokens (one cannot learn the other's "
        "predictions). Choose an adapter.original with the same tokenizer.",
        job.options.scoring.model.path, adapter.original, own.vocabulary_size,
        original.vocabulary_size));
  models::check_length(original, adapter.window_length, adapter.original);
}

}  // namespace

weights::AdapterShape adapter_shape(const AdapterOptions& adapter, const std::string& name) {
  const auto seed = static_cast<std::uint64_t>(adapter.seed);
  return {.kind = kind_of(adapter.kind),
          .side = adapter.side,
          .block = adapter.block,
          .layers = static_cast<int>(adapter.layers),
          .rank = adapter.rank,
          .seed = run::Fingerprint().add(seed).add(name).value()};
}

double adapter_rate(const AdapterOptions& adapter) {
  if (!adapter.has_blocks()) return adapter.learning_rate;
  return adapter.learning_rate / std::sqrt(static_cast<double>(adapter.block - 1));
}

std::int64_t qubits_of(std::int64_t block) {
  const auto size = static_cast<std::uint64_t>(block);
  return std::has_single_bit(size) ? std::countr_zero(size) : 0;
}

AdapterCost adapter_cost(const CompressionJob& job) {
  const AdapterOptions& adapter = job.options.adapter;
  AdapterCost cost;
  for (const NamedShape& weight : job.adapted) {
    cost.numbers += weights::adapter_numbers(adapter_shape(adapter, weight.name), weight.shape);
    for (const Axis& axis : axes_of(adapter, weight.shape))
      cost.blocks += adapter.layers * axis.width / adapter.block;
  }
  cost.bytes = cost.numbers * models::bytes_of(job.options.scoring.model.precision);
  if (adapter.has_blocks()) cost.qubits = qubits_of(adapter.block);
  return cost;
}

std::string adapter_line(const CompressionJob& job) {
  const AdapterOptions& adapter = job.options.adapter;
  const AdapterCost cost = adapter_cost(job);
  std::string line = fmt::format("{} adapter on {}: {} numbers in {}", name(adapter.kind),
                                 counted(std::ssize(job.adapted), "weight"), cost.numbers,
                                 format_bytes(static_cast<double>(cost.bytes)));
  if (!adapter.has_blocks()) return line + fmt::format(", rank {}", adapter.rank);
  line += fmt::format(", {} of {} on {}", counted(cost.blocks, "block"), adapter.block,
                      adapter.side == AdapterSide::both
                          ? "both sides"
                          : name_in(weights::adapter_side_names, adapter.side));
  if (adapter.layers > 1) line += fmt::format(" in {}", counted(adapter.layers, "layer"));
  if (cost.qubits > 0) line += fmt::format(" ({} a block)", counted(cost.qubits, "qubit"));
  return line;
}

void check_adapter(const CompressionJob& job) {
  for (const NamedShape& weight : job.adapted) check_blocks(job.options.adapter, weight);
  check_bases(job);
  check_peft_names(job);
  check_original(job);
}

bool is_outline(const CompressOptions& options) {
  const std::filesystem::path folder = options.scoring.model.path;
  return !options.scoring.model.is_image_network() && input_exists(folder / "config.json") &&
         !input_exists(folder / files::single_file_name) &&
         !input_exists(folder / files::index_file_name);
}

}  // namespace rankine::compress
