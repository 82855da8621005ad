#include "compress/stages/disentangled_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <span>

#include "compress/job/bond_dimension.hpp"
#include "compress/stages/dealt_weights.hpp"
#include "compress/stages/simple_forms.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"
#include "parallel/agreement.hpp"
#include "weights/making/disentangling.hpp"
#include "weights/making/weighted_disentangling.hpp"

namespace rankine::compress {

using weights::Disentangled;
using weights::DisentanglingReport;

namespace {

weights::DisentanglingOptions how(const CompressOptions& options, std::int64_t bond_dimension) {
  return {.circuit = options.disentangler.circuit(),
          .bond_dimension = bond_dimension,
          .sweeps = static_cast<int>(options.disentangler.sweeps),
          .start = options.disentangler.start};
}

void broadcast_numbers(const parallel::Communicator& world, std::vector<double>& values, int root) {
  std::int64_t size = std::ssize(values);
  world.broadcast(std::span(&size, 1), root);
  values.resize(static_cast<std::size_t>(size));
  world.broadcast(std::span(values), root);
}

/// What team `maker` has made, on all ranks: `made` is null elsewhere. Collective over the world.
struct Made {
  std::shared_ptr<Disentangled> weight;
  DisentanglingReport report;
};

Made share(const Workbench& bench, const weights::Weight& dense,
           const weights::DisentanglingOptions& options, Made made, int root) {
  if (!made.weight)
    made.weight = weights::blank_disentangled(bench.teams.team(), dense.split(), dense.inputs(),
                                              options, dense.own_rows().scalar_type());
  weights::broadcast_tensors(bench.world, *made.weight, root);
  DisentanglingReport& report = made.report;
  std::vector<double> entropies = report.entropies();
  broadcast_numbers(bench.world, report.overlaps, root);
  broadcast_numbers(bench.world, entropies, root);
  bench.world.broadcast(std::span(&report.overlap_alone, 1), root);
  if (entropies.size() == 2) {
    report.entropy_alone = entropies[0];
    report.entropy = entropies[1];
  }
  return made;
}

NewForm form_of(const Workbench& bench, std::size_t w, Made made) {
  NewForm form = present_form(bench, w);
  WeightReport& report = form.report;
  report.form = made.weight->form();
  report.rank = made.weight->kept_rank();
  report.numbers = made.weight->stored_numbers();
  report.bytes = made.weight->stored_bytes();
  const double overlap = made.report.overlaps.back();
  report.weighted_error = std::sqrt(std::max(0.0, 1 - overlap * overlap));
  report.gates.numbers = gate_numbers_of(bench.options, report.shape);
  report.gates.overlap_alone = made.report.overlap_alone;
  report.gates.overlaps = made.report.overlaps;
  report.gates.entropies = made.report.entropies();
  form.weight = std::move(made.weight);
  return form;
}

/// Fits cores and gates in the norm of the deck; each weight is dealt whole to one rank.
void improve_all(const Workbench& bench, const ErrorNorm& norm, std::vector<NewForm>& forms) {
  std::vector<std::size_t> chosen;
  for (std::size_t w = 0; w < forms.size(); ++w)
    if (forms[w].report.form == weights::Form::disentangled) chosen.push_back(w);
  const auto made = [&](std::size_t w) -> const Disentangled& {
    return dynamic_cast<const Disentangled&>(*forms[w].weight);
  };
  double error = 0;
  for_each_dealt_weight(
      bench, all_weights(bench, norm), chosen, "disentangled",
      [&](const DealtWeight& weight) {
        const auto errors = weights::improve_in_norm(
            weight.w, weight.norm,
            {.sweeps = static_cast<int>(bench.options.method.sweeps),
             .gradient_steps = static_cast<int>(bench.options.disentangler.gradient_steps)},
            made(weight.place));
        const double whole = weight.has_errors ? std::sqrt(weight.norm.squared(weight.w)) : 0;
        error = whole > 0 ? errors.back() / whole : 0;
      },
      [&](std::size_t w, int root) {
        weights::broadcast_tensors(bench.world, made(w), root);
        double found = error;
        bench.world.broadcast(std::span(&found, 1), root);
        forms[w].report.weighted_error = found;
      });
}

/// First ranks of all teams in the world.
std::vector<int> leaders(const Workbench& bench) {
  std::vector<int> all;
  const int mine = bench.teams.leads() ? 1 : 0;
  int rank = 0;
  for (const int leads : bench.world.all_gather(std::span<const int>(&mine, 1))) {
    if (leads != 0) all.push_back(rank);
    ++rank;
  }
  return all;
}

/// The weights that are not zero, the largest first.
std::vector<std::size_t> weights_to_make(const Workbench& bench, std::vector<NewForm>& forms) {
  std::vector<std::size_t> chosen;
  for (std::size_t w = 0; w < forms.size(); ++w)
    if (is_zero_weight(bench, w))
      forms[w] = zero_form(bench, w);
    else
      chosen.push_back(w);
  std::ranges::stable_sort(chosen, std::greater<>(), [&](std::size_t w) {
    return bench.job.selected[w].shape.dense_numbers();
  });
  return chosen;
}

/// Every team makes a weight of its own at a time.
std::vector<NewForm> make_all(const Workbench& bench, const ErrorNorm& norm,
                              const std::vector<std::int64_t>& bond_dimensions) {
  std::vector<NewForm> forms(bench.names.size());
  const std::vector<std::size_t> chosen = weights_to_make(bench, forms);
  const std::vector<int> roots = leaders(bench);
  ProgressLine progress(bench.progress());
  for (std::size_t first = 0; first < chosen.size(); first += roots.size()) {
    const auto batch =
        std::span(chosen).subspan(first, std::min(roots.size(), chosen.size() - first));
    const auto mine = static_cast<std::size_t>(bench.teams.index());
    Made made;
    parallel::agree_between_teams(bench.world, bench.teams.team(), [&] {
      if (mine >= batch.size()) return;
      const auto dense = weight_of(bench.model, bench.names[batch[mine]]);
      made.weight = weights::make_disentangled(
          bench.teams.team(), dense->split(), dense->own_rows(),
          how(bench.options, bond_dimensions[batch[mine]]), &made.report);
    });
    for (std::size_t t = 0; t < batch.size(); ++t) {
      const std::size_t w = batch[t];
      const auto dense = weight_of(bench.model, bench.names[w]);
      forms[w] = form_of(bench, w,
                         share(bench, *dense, how(bench.options, bond_dimensions[w]),
                               t == mine ? std::move(made) : Made{}, roots[t]));
    }
    bench.stop_if_asked();
    const std::size_t done = first + batch.size();
    progress.update(
        static_cast<double>(done) / static_cast<double>(chosen.size()),
        fmt::format("{} of {} disentangled", done, counted(std::ssize(chosen), "weight")));
  }
  if (bench.options.method.needs_inputs()) improve_all(bench, norm, forms);
  return forms;
}

}  // namespace

FormsOfSize disentangled_of_size(Workbench& bench, ErrorNorm norm) {
  return [&bench, norm = std::move(norm)](std::int64_t bond_dimension) {
    return make_all(bench, norm, std::vector<std::int64_t>(bench.names.size(), bond_dimension));
  };
}

void compress_by_disentangling(Workbench& bench, ErrorNorm norm) {
  CompressionTimes& seconds = bench.result.seconds;
  std::vector<std::int64_t> bonds;
  for (const NamedShape& weight : bench.job.selected)
    bonds.push_back(bond_dimension_of(bench.options, weight.shape));
  bench.timed("replacement", seconds.conversion,
              [&] { put_into_model(bench, make_all(bench, norm, bonds)); });
  log().info("{} disentangled in {}", counted(std::ssize(bench.names), "weight"),
             format_duration(seconds.conversion));
}

}  // namespace rankine::compress
