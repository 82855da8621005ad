#include "compress/job/adapter_checks.hpp"

#include <fmt/format.h>

#include "compress/job/adapter_plan.hpp"

namespace rankine::compress {

namespace {

std::string kind_text(const AdapterOptions& adapter) {
  return fmt::format("adapter.kind = \"{}\"", name(adapter.kind));
}

/// Only compression has a use for weights that are selected.
void check_empty_selection(const CompressOptions& options, deck::Findings& findings) {
  if (options.selects_weights()) return;
  if (!options.experiments.names.empty() || options.is_profile())
    findings.add("select.weights",
                 {.what = "select.weights is empty beside [experiments] or [sensitivity]",
                  .why = "these are about the selected weights",
                  .advice = "Name weights under [select]."});
}

void check_company(const CompressOptions& options, deck::Findings& findings) {
  const std::string what = kind_text(options.adapter);
  if (!options.scoring.model.adapter.empty())
    findings.add("adapter.kind", {.what = what + " stands beside model.adapter",
                                  .why = "a weight has one adapter at most",
                                  .advice = "Merge that of model.adapter into the model first, or "
                                            "set adapter.kind = \"none\"."});
  if (options.is_profile())
    findings.add("adapter.kind",
                 {.what = what + " stands beside sensitivity.bond_dimensions",
                  .why = "a profile leaves no compressed model behind that could be adapted",
                  .advice = "Set adapter.kind = \"none\", or leave the list of bond dimensions "
                            "empty."});
  if (!options.result.directory.empty() &&
      options.result.format == models::ExportFormat::factorised)
    findings.add("export.format",
                 {.what = "export.format = \"factorised\" stands beside " + what,
                  .why = "the modelling file knows no adapters",
                  .advice = "Set export.format = \"dense\" for merged matrices, or \"native\"."});
}

void check_loss(const CompressOptions& options, deck::Findings& findings) {
  if (options.adapter.loss == HealingLoss::distillation && options.adapter.original.empty() &&
      !options.selects_weights())
    findings.add("adapter.loss",
                 {.what = "adapter.loss = \"distillation\" stands beside an empty select.weights",
                  .why = "nothing is compressed, so the model is its own original",
                  .advice = "Name the model to learn from as adapter.original, or set "
                            "adapter.loss = \"next-token\"."});
}

/// PEFT's OFT is one layer of orthogonal blocks on the inputs.
void check_peft(const AdapterOptions& adapter, deck::Findings& findings) {
  if (adapter.directory.empty()) return;
  const auto refuse = [&](const char* keyword, std::string what, const char* advice) {
    findings.add(keyword, {.what = std::move(what) + " stands beside adapter.directory",
                           .why = "PEFT has orthogonal blocks in one layer on the inputs, and LoRA",
                           .advice = advice});
  };
  if (adapter.kind == Adapter::block_diagonal)
    refuse("adapter.kind", kind_text(adapter),
           "Drop adapter.directory, or set adapter.kind = \"cayley\".");
  if (adapter.kind != Adapter::cayley) return;
  if (adapter.side != weights::AdapterSide::inputs)
    refuse("adapter.side",
           fmt::format("adapter.side = \"{}\"", name_in(weights::adapter_side_names, adapter.side)),
           "Drop adapter.directory, or set adapter.side = \"inputs\".");
  if (adapter.layers > 1)
    refuse("adapter.layers", fmt::format("adapter.layers = {}", adapter.layers),
           "Drop adapter.directory, or set adapter.layers = 1.");
}

void check_noise(const CompressOptions& options, deck::Findings& findings) {
  const AdapterOptions& adapter = options.adapter;
  if (options.noise.error_rates.empty()) {
    findings.expect_unused("noise.shots", "noise.error_rates is empty, so there is no study",
                           "Name error rates (0 for perfect gates), or drop it.");
    return;
  }
  const auto refuse = [&](const char* keyword, std::string what, const char* why,
                          const char* advice) {
    findings.add(keyword, {.what = std::move(what), .why = why, .advice = advice});
  };
  if (adapter.kind != Adapter::cayley)
    refuse("noise.error_rates", "noise.error_rates stands beside " + kind_text(adapter),
           "only orthogonal blocks are quantum circuits",
           "Set adapter.kind = \"cayley\", or leave the list empty.");
  else if (qubits_of(adapter.block) == 0)
    refuse("adapter.block",
           fmt::format("adapter.block = {} stands beside noise.error_rates", adapter.block),
           "a circuit of k qubits is a block of 2^k",
           "Choose a power of two, or leave the list of error rates empty.");
  if (options.scoring.evaluate.text.empty())
    refuse("evaluate.text", "evaluate.text is not set beside noise.error_rates",
           "the noise study is made of perplexities", "Name a text under [evaluate].");
}

}  // namespace

void check_adapter_keywords(const CompressOptions& options, deck::Findings& findings) {
  check_empty_selection(options, findings);
  check_noise(options, findings);
  if (!options.adapter.exists()) return;
  check_company(options, findings);
  check_loss(options, findings);
  check_peft(options.adapter, findings);
}

}  // namespace rankine::compress
