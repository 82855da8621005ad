#include "compress/stages/narrowing_stage.hpp"

#include <map>
#include <memory>
#include <span>

#include "compress/job/selection.hpp"
#include "compress/job/unit_count.hpp"
#include "compress/stages/dealt_weights.hpp"
#include "compress/stages/simple_forms.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"
#include "weights/forms/narrowed.hpp"
#include "weights/forms/pivoted.hpp"
#include "weights/making/unit_selection.hpp"
#include "weights/rows/broadcast_tensor.hpp"

namespace rankine::compress {

using torch::Tensor;
using weights::RowSplit;
using weights::SelectedUnits;

namespace {

/// A norm that is plain where there are no moments, or where they are zeros.
weights::MomentNorm norm_of(const DealtWeight& weight) {
  weights::MomentNorm norm = weight.has_errors ? weight.norm : weights::MomentNorm{};
  if (!norm.inputs.defined()) norm.inputs = torch::eye(weight.w.size(1), torch::kFloat64);
  return norm;
}

/// From rank `root` of the world. Collective over it.
SelectedUnits broadcast(const parallel::Communicator& world, SelectedUnits units,
                        std::int64_t count, int root) {
  units.kept.resize(static_cast<std::size_t>(count));
  world.broadcast(std::span(units.kept), root);
  units.w = weights::broadcast_tensor(world, units.w, torch::kFloat64, root);
  world.broadcast(std::span(&units.error, 1), root);
  return units;
}

NewForm narrowed_form(const Workbench& bench, std::size_t w,
                      std::shared_ptr<weights::Weight> weight, double error) {
  NewForm form = present_form(bench, w);
  form.weight = std::move(weight);
  form.report.form = form.weight->form();
  form.report.rank = form.weight->kept_rank();
  form.report.numbers = form.weight->stored_numbers();
  form.report.bytes = form.weight->stored_bytes();
  form.report.weighted_error = error;
  return form;
}

/// Of a matrix that makes hidden units: their rows.
NewForm makes_units(const Workbench& bench, std::size_t w, const SelectedUnits& units) {
  const auto dense = weight_of(bench.model, bench.names[w]);
  const RowSplit& split = dense->split();
  const parallel::Communicator& team = bench.teams.team();
  const RowSplit kept = weights::split_of_pivots(split, units.kept);
  const Tensor places = torch::tensor(units.kept, torch::kInt64)
                            .narrow(0, kept.first(team.rank()), kept.count(team.rank())) -
                        split.first(team.rank());
  return narrowed_form(bench, w,
                       std::make_shared<weights::NarrowedRows>(
                           team, split, units.kept, dense->own_rows().index_select(0, places)),
                       0);
}

/// Of the matrix that reads them: their columns, changed.
NewForm reads_units(const Workbench& bench, std::size_t w, const SelectedUnits& units) {
  const auto dense = weight_of(bench.model, bench.names[w]);
  const RowSplit& split = dense->split();
  const parallel::Communicator& team = bench.teams.team();
  const Tensor own = units.w.narrow(0, split.first(team.rank()), split.count(team.rank()))
                         .to(dense->own_rows().scalar_type())
                         .clone(at::MemoryFormat::Contiguous);
  return narrowed_form(
      bench, w,
      std::make_shared<weights::NarrowedColumns>(team, split, units.kept, dense->inputs(), own),
      units.error);
}

std::vector<NewForm> narrow(const Workbench& bench, const ErrorNorm& norm) {
  const std::int64_t hidden = bench.model.config().hidden;
  const std::int64_t count = units_of(bench.options.ranks, hidden);
  std::map<std::size_t, SelectedMlp> mlps;  // by their last matrix
  std::vector<std::size_t> last;
  for (const SelectedMlp& mlp : whole_mlps(bench.model.config(), bench.job.selected)) {
    mlps[mlp.down] = mlp;
    last.push_back(mlp.down);
  }
  std::vector<NewForm> forms(bench.names.size());
  SelectedUnits mine;
  for_each_dealt_weight(
      bench, all_weights(bench, norm), last, "narrower MLPs",
      [&](const DealtWeight& weight) {
        mine = weights::select_units(weight.w, norm_of(weight), count);
      },
      [&](std::size_t w, int root) {
        const SelectedUnits units =
            broadcast(bench.world, bench.world.rank() == root ? std::move(mine) : SelectedUnits{},
                      count, root);
        const SelectedMlp& mlp = mlps.at(w);
        if (mlp.gate) forms[*mlp.gate] = makes_units(bench, *mlp.gate, units);
        forms[mlp.up] = makes_units(bench, mlp.up, units);
        forms[w] = reads_units(bench, w, units);
      });
  return forms;
}

}  // namespace

void compress_by_narrowing(Workbench& bench, ErrorNorm norm) {
  double& seconds = bench.result.seconds.conversion;
  bench.timed("replacement", seconds, [&] { put_into_model(bench, narrow(bench, norm)); });
  log().info("{} of {} hidden units left in every MLP, chosen in {}",
             units_of(bench.options.ranks, bench.model.config().hidden),
             bench.model.config().hidden, format_duration(seconds));
}

}  // namespace rankine::compress
