#include "train/clipping.hpp"

#include <cmath>

namespace rankine::train {

double gradient_norm(const Objective& objective, const std::vector<Parameter>& parameters) {
  const parallel::Teams& teams = objective.teams();
  double squares = 0;  // of the first team, so that all teams scale by the very same number
  for (const Parameter& parameter : parameters)
    if (teams.index() == 0 && (parameter.placement == weights::Placement::rows || teams.leads()))
      squares += parameter.values.grad().to(torch::kFloat64).square().sum().item<double>();
  return std::sqrt(objective.world().sum(squares));
}

void clip_gradients(const Objective& objective, const std::vector<Parameter>& parameters,
                    double largest) {
  const double norm = gradient_norm(objective, parameters);
  if (norm <= largest) return;
  for (const Parameter& parameter : parameters) parameter.values.grad().mul_(largest / norm);
}

}  // namespace rankine::train
