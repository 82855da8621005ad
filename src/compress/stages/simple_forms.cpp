#include "compress/stages/simple_forms.hpp"

#include "weights/forms/low_rank.hpp"

namespace rankine::compress {

NewForm present_form(const Workbench& bench, std::size_t w) {
  NewForm form{.weight = weight_of(bench.model, bench.names[w]), .report = {}};
  form.report.name = bench.names[w];
  form.report.shape = bench.job.selected[w].shape;
  form.report.form = weights::Form::dense;
  form.report.rank = form.report.shape.full_rank();
  form.report.numbers = form.weight->stored_numbers();
  form.report.bytes = form.weight->stored_bytes();
  return form;
}

bool is_zero_weight(const Workbench& bench, std::size_t w) {
  const torch::Tensor rows = weight_of(bench.model, bench.names[w])->own_rows();
  return bench.world.max(rows.count_nonzero().item<std::int64_t>() > 0 ? 1 : 0) == 0;
}

NewForm zero_form(const Workbench& bench, std::size_t w) {
  NewForm form = present_form(bench, w);
  form.report.rank = 0;
  if (bench.options.method.form == weights::Form::dense) return form;
  const torch::Tensor rows = form.weight->own_rows();
  const parallel::Communicator& team = bench.teams.team();
  form.weight = weights::make_low_rank(team, form.weight->split(), rows.narrow(1, 0, 0),
                                       rows.narrow(0, 0, 0), rows.scalar_type());
  form.report.form = form.weight->form();
  form.report.numbers = 0;
  form.report.bytes = form.weight->stored_bytes();
  return form;
}

void put_into_model(Workbench& bench, std::vector<NewForm> forms) {
  for (NewForm& form : forms) {
    bench.model.replace_weight(form.report.name, std::move(form.weight));
    bench.result.weights.push_back(std::move(form.report));
  }
}

}  // namespace rankine::compress
