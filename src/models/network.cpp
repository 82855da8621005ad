#include "models/network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/errors.hpp"

namespace rankine::models {

using torch::Tensor;

Tensor Network::forward(const Tensor& inputs) const {
  Tensor x = inputs;
  for (const Stage& stage : stages()) x = stage.forward(x);
  return x;
}

std::vector<const Slot*> Network::slots() const {
  std::vector<const Slot*> all;
  for (const Stage& stage : stages()) all.insert(all.end(), stage.slots.begin(), stage.slots.end());
  return all;
}

bool Network::is_outer(const std::string& name) const {
  return std::ranges::any_of(outer_slots(), [&](const Slot* slot) { return slot->name() == name; });
}

const Slot& Network::slot(const std::string& name) const {
  for (const auto& all : {slots(), outer_slots()})
    for (const Slot* slot : all)
      if (slot->name() == name) return *slot;
  throw InputError(fmt::format(
      "the model has no weight {} (it is asked for by that name). Use names of this model.", name));
}

Slot& Network::slot(const std::string& name) {
  return const_cast<Slot&>(std::as_const(*this).slot(name));  // a part of *this, which may change
}

void Network::replace_weight(const std::string& name, std::shared_ptr<weights::Weight> weight) {
  slot(name).replace(std::move(weight));
}

std::shared_ptr<weights::Weight> weight_of(const Network& network, const std::string& slot) {
  return network.slot(slot).weight();
}

void TemporaryWeights::replace(const std::string& name, std::shared_ptr<weights::Weight> weight) {
  Slot& slot = network_.slot(name);
  std::shared_ptr<weights::Weight> original = slot.weight();
  slot.replace(std::move(weight));
  originals_.push_back({&slot, std::move(original)});
}

TemporaryWeights::~TemporaryWeights() {
  for (std::size_t i = originals_.size(); i-- > 0;)
    originals_[i].slot->replace(std::move(originals_[i].weight));
}

}  // namespace rankine::models
