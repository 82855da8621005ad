#include "compress/adapter_results.hpp"

#include <fmt/format.h>

#include "compress/job/adapter_plan.hpp"
#include "models/evaluation/results.hpp"

namespace rankine::compress {

namespace {

/// The part of the perplexity that the selected weights lost by compression and that the adapter
/// brought back; nothing where compression cost none.
std::optional<double> recovered_share(const CompressionResult& result) {
  if (result.weights.empty() || !result.before || !result.adapter->unadapted || !result.after)
    return std::nullopt;
  const double compressed = result.adapter->unadapted->headline().value;
  const double excess = compressed - result.before->headline().value;
  if (!(excess > 0)) return std::nullopt;
  return (compressed - result.after->headline().value) / excess;
}

void write_attributes(files::ResultFile& file, const CompressionJob& job) {
  const AdapterOptions& adapter = job.options.adapter;
  const auto set = [&](const char* name, files::Attribute value) {
    file.set_attribute("/results/adapter", name, std::move(value));
  };
  set("kind", std::string(name(adapter.kind)));
  set("weights", std::ssize(job.adapted));
  if (!adapter.has_blocks()) return set("rank", adapter.rank);
  set("side", std::string(name_in(weights::adapter_side_names, adapter.side)));
  set("block", adapter.block);
  set("layers", adapter.layers);
}

}  // namespace

void write_adapter_results(files::ResultFile& file, const CompressionJob& job,
                           const CompressionResult& result) {
  if (!result.adapter) return;
  const std::string path = "/results/adapter/";
  const AdapterCost cost = adapter_cost(job);
  models::write_count(file, path + "numbers", cost.numbers, "numbers of the adapter");
  models::write_count(file, path + "bytes", cost.bytes, "bytes of the adapter", "B");
  models::write_count(file, path + "blocks", cost.blocks, "blocks of the adapter");
  write_attributes(file, job);
  models::write_scalar(file, path + "seconds", result.seconds.adapter,
                       "time of the training on the slowest rank", "s");
  if (const auto& score = result.adapter->unadapted)
    models::write_scalar(file, path + "perplexity_unadapted", score->headline().value,
                         "perplexity without the adapter", "1");
  if (const auto share = recovered_share(result))
    models::write_scalar(file, path + "recovered", *share,
                         "part of the perplexity lost by compression that the adapter brought back",
                         "1");
  if (const auto& losses = result.adapter->losses; !losses.empty())
    file.write(path + "training_loss", losses, {losses.size()},
               {"mean loss of each step of training", "nat", {"steps"}});
}

std::string adapter_text(const CompressionJob& job, const CompressionResult& result) {
  if (!result.adapter) return "";
  std::string text = adapter_line(job) + "\n";
  if (!result.adapter->unadapted || !result.after) return text;
  text += fmt::format("{:<35}  {:.6e} -> {:.6e}", "by the adapter",
                      result.adapter->unadapted->headline().value, result.after->headline().value);
  if (const auto share = recovered_share(result))
    text += fmt::format(" ({:.1f} % of what compression cost)", 100 * *share);
  return text + "\n";
}

}  // namespace rankine::compress
