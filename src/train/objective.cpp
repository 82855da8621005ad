#include "train/objective.hpp"

#include "weights/rows/exchange.hpp"
#include "weights/rows/row_exchange.hpp"

namespace rankine::train {

using torch::Tensor;

WindowLoss mean_loss(const models::Network& network, std::vector<models::Batch> batches) {
  return [&network, batches = std::move(batches)](std::int64_t window) {
    return network.losses(batches[static_cast<std::size_t>(window) % batches.size()]).mean();
  };
}

Objective::Objective(const parallel::Communicator& world, const parallel::Teams& teams,
                     std::int64_t windows, WindowLoss loss)
    : world_(world),
      teams_(teams),
      peers_(world.split(teams.team().rank(), world.rank())),
      windows_(windows),
      loss_(std::move(loss)) {}

double Objective::gradient(std::int64_t step, const std::vector<Parameter>& parameters) const {
  for (const Parameter& parameter : parameters) parameter.values.mutable_grad() = Tensor();
  double own_loss = 0;
  for (std::int64_t w = 0; w < windows_; ++w)
    own_loss += add_gradient((step * windows_ + w) * teams_.count() + teams_.index(),
                             1.0 / static_cast<double>(windows_));
  for (const Parameter& parameter : parameters) average(parameter);
  return world_.sum(teams_.leads() ? own_loss : 0.0) / teams_.count();
}

double Objective::add_gradient(std::int64_t window, double weight) const {
  const Tensor loss = loss_(window) * weight;
  loss.backward();
  return loss.item<double>();
}

void Objective::average(const Parameter& parameter) const {
  Tensor& gradient = parameter.values.mutable_grad();
  if (!gradient.defined()) gradient = torch::zeros_like(parameter.values);
  if (teams_.count() == 1) return;
  if (world_.size() % teams_.count() == 0)  // all peers hold the same rows
    weights::sum_in_place(peers_, {gradient});
  else
    gradient.copy_(summed(parameter));
  gradient.div_(teams_.count());
}

Tensor Objective::summed(const Parameter& parameter) const {
  const Tensor gradient = parameter.values.grad().contiguous();
  if (parameter.placement == weights::Placement::copy) {
    Tensor sum = teams_.leads() ? gradient.clone() : torch::zeros_like(gradient);
    weights::sum_in_place(world_, {sum});
    return sum;
  }
  const std::int64_t rows = gradient.size(0);
  const weights::RowRange own{parameter.first_row, rows};
  const Tensor matrix = gradient.view({rows, gradient[0].numel()});
  return weights::exchange_rows(world_, matrix, own, own).view(gradient.sizes());
}

}  // namespace rankine::train
