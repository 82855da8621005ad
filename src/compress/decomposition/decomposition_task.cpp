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

torch::Tensor whole_matrix_on(const weights::Weight& weight, const parallel::Communicator& world,
                              const parallel::Teams& teams, int owner, torch::ScalarType type) {
  const std::int64_t rows = world.rank() == owner ? weight.outputs() : 0;
  return weights::exchange_rows(world, contributed_rows(weight, teams, type),
                                contributed_range(weight, teams), {0, rows})
      .to(torch::kFloat64);
}

}  // namespace rankine::compress
