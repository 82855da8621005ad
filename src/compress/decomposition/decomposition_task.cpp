#include "compress/decomposition/decomposition_task.hpp"

namespace rankine::compress {

weights::RowRange contributed_range(const weights::Weight& weight, const parallel::Teams& teams) {
  if (teams.index() > 0) return {};
  return weights::range_of(weight.split(), teams.team().rank());
}

torch::Tensor contributed_rows(const weights::Weight& weight, const parallel::Teams& teams,
                               torch::ScalarType type) {
  if (teams.index() > 0) return torch::empty({0, weight.inputs()}, type);
  return weight.own_rows().detach().to(type);
}

torch::Tensor rows_on(const weights::Weight& weight, const parallel::Communicator& world,
                      const parallel::Teams& teams, weights::RowRange wanted, int owner,
                      torch::ScalarType type) {
  if (world.rank() != owner) wanted = {};
  return weights::exchange_rows(world, contributed_rows(weight, teams, type),
                                contributed_range(weight, teams), wanted)
      .to(torch::kFloat64);
}

torch::Tensor whole_matrix_on(const weights::Weight& weight, const parallel::Communicator& world,
                              const parallel::Teams& teams, int owner, torch::ScalarType type) {
  return rows_on(weight, world, teams, {0, weight.outputs()}, owner, type);
}

}  // namespace rankine::compress
