#include "compress/calibration/token_moments.hpp"

#include <deque>

#include "compress/calibration/counted_gradients.hpp"
#include "weights/rows/exchange.hpp"

namespace rankine::compress {

using parallel::Communicator;
using parallel::Teams;
using torch::Tensor;
using weights::RowSplit;

namespace {

/// What one weight reads in a pass, until the gradient of its outputs comes back.
struct ObservedWeight {
  RowSplit split;         ///< rows over the ranks
  RowSplit groups;        ///< rows over the groups
  std::size_t first = 0;  ///< moment
  Tensor inputs = {};
};

void add_tokens(PartialMoments& state, ObservedWeight& weight, const Teams& teams,
                const Tensor& own_gradients, const LossGradients& how) {
  const Tensor all = weights::gather_columns(teams.team(), own_gradients.detach(), weight.split,
                                             weights::Gradient::same);
  const Tensor squares = counted_gradients(all, how).square();
  for (int g = 0; g < weight.groups.n_ranks(); ++g) {
    const Tensor of_tokens =
        squares.narrow(1, weight.groups.first(g), weight.groups.count(g)).mean(1, true);
    state.moments[weight.first + static_cast<std::size_t>(g)].add(weight.inputs * of_tokens.sqrt());
  }
  weight.inputs = Tensor();
}

}  // namespace

std::vector<SecondMoment> measure_token_moments(models::Network& network, const Communicator& world,
                                                const Teams& teams,
                                                const std::vector<std::string>& names,
                                                const std::vector<models::Batch>& batches,
                                                const LossGradients& gradients, std::int64_t groups,
                                                const MeasurementCheckpoint& checkpoint) {
  PartialMoments state;
  std::deque<ObservedWeight> observed;
  std::vector<models::Observation> observations;
  for (const std::string& name : names) {
    models::Slot& slot = network.slot(name);
    const auto weight = slot.weight();
    observed.push_back({weight->split(),
                        RowSplit::even(weight->outputs(), static_cast<int>(groups)),
                        state.moments.size()});
    for (std::int64_t g = 0; g < groups; ++g)
      state.moments.emplace_back(teams.team(), weight->inputs(), weight->own_rows().scalar_type());
    ObservedWeight& own = observed.back();
    observations.emplace_back(
        slot, models::Observer{
                  .of_inputs = [&own](const Tensor& x) { own.inputs = x.detach(); },
                  .of_output_gradients =
                      [&](const Tensor& dy) { add_tokens(state, own, teams, dy, gradients); }});
  }
  observe_backward(network, world, teams, batches, gradients.targets, "weighted inputs", state,
                   checkpoint);
  return std::move(state.moments);
}

}  // namespace rankine::compress
