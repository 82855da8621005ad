#include "models/slot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/errors.hpp"

namespace rankine::models {

using torch::Tensor;

Slot::Slot(std::string name, std::shared_ptr<weights::Weight> weight, Tensor own_bias,
           std::int64_t activation)
    : name_(std::move(name)),
      weight_(std::move(weight)),
      own_bias_(std::move(own_bias)),
      activation_(activation) {}

bool Slot::shows_inputs() const {
  return std::ranges::any_of(observers_,
                             [](const auto& observer) { return bool(observer->of_inputs); });
}

void Slot::show_input(const Tensor& x) const {
  for (const auto& observer : observers_)
    if (observer->of_inputs) observer->of_inputs(x);
}

bool Slot::shows_output_gradients() const {
  return std::ranges::any_of(
      observers_, [](const auto& observer) { return bool(observer->of_output_gradients); });
}

void Slot::show_output_gradient(const Tensor& dy) const {
  for (const auto& observer : observers_)
    if (observer->of_output_gradients) observer->of_output_gradients(dy);
}

Tensor Slot::forward(const Tensor& x) const {
  show_input(x);
  const Tensor y = observed(weight_->forward(x));
  return own_bias_.defined() ? y + own_bias_ : y;
}

Tensor Slot::observed(Tensor y) const {
  for (const auto& observer : observers_) {
    if (observer->of_outputs) observer->of_outputs(y);
    if (!observer->of_output_gradients) continue;
    if (!y.requires_grad()) y = y.detach().requires_grad_(true);
    y.register_hook([observer](const Tensor& dy) { observer->of_output_gradients(dy); });
  }
  return y;
}

void Slot::replace(std::shared_ptr<weights::Weight> weight) {
  if (weight->outputs() != weight_->outputs() || weight->inputs() != weight_->inputs())
    throw InputError(fmt::format(
        "{} is {} x {} in the model (a weight of {} x {} is to take "
        "its place). Use weights of this model.",
        name_, weight_->outputs(), weight_->inputs(), weight->outputs(), weight->inputs()));
  weight_ = std::move(weight);
}

Observation::Observation(Slot& slot, Observer observer)
    : slot_(&slot), observer_(std::make_shared<const Observer>(std::move(observer))) {
  slot.observers_.push_back(observer_);
}

Observation::Observation(Observation&& other) noexcept
    : slot_(other.slot_), observer_(std::move(other.observer_)) {}

Observation::~Observation() {
  if (observer_) std::erase(slot_->observers_, observer_);
}

}  // namespace rankine::models
