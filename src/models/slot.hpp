// A place in a network where a weight is called. Its weight can be replaced, and observers see the
// activations that pass through it.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "weights/forms/weight.hpp"

namespace rankine::models {

/// What an observer of a slot looks at; each may be empty.
struct Observer {
  /// x: rows x inputs, the same on all ranks of the team.
  std::function<void(const torch::Tensor& x)> of_inputs = {};
  /// y: rows x own outputs, before the bias.
  std::function<void(const torch::Tensor& y)> of_outputs = {};
  /// dy: rows x own outputs, the gradient by the output of the slot.
  std::function<void(const torch::Tensor& dy)> of_output_gradients = {};
};

class Slot {
 public:
  /// A place without a weight: the gate of a plain MLP.
  Slot() = default;
  /// `own_bias` belongs to this rank's rows; slots with one number `activation` (not negative) read
  /// the same activation.
  Slot(std::string name, std::shared_ptr<weights::Weight> weight, torch::Tensor own_bias = {},
       std::int64_t activation = -1);
  Slot(Slot&&) = default;
  Slot& operator=(Slot&&) = default;

  bool exists() const { return weight_ != nullptr; }
  /// In the checkpoint, without ".weight".
  const std::string& name() const { return name_; }
  const std::shared_ptr<weights::Weight>& weight() const { return weight_; }
  const torch::Tensor& own_bias() const { return own_bias_; }
  std::int64_t activation() const { return activation_; }

  /// x (rows x inputs) through weight and bias: own columns, as Weight::forward. Shown to
  /// observers.
  torch::Tensor forward(const torch::Tensor& x) const;

  /// What `forward` does for observers; for what is no plain product (a convolution, whose matrix
  /// acts on patches; logits, which are never whole).
  bool is_observed() const { return !observers_.empty(); }
  /// Whether an observer looks at inputs, so that patches are worth making.
  bool shows_inputs() const;
  void show_input(const torch::Tensor& x) const;
  /// The same of gradients by outputs, for products whose outputs are not kept in a graph.
  bool shows_output_gradients() const;
  void show_output_gradient(const torch::Tensor& dy) const;
  /// `y` (rows x own outputs), the product before the bias: its gradient will be shown. It is made
  /// to want one where nothing before it does.
  torch::Tensor observed(torch::Tensor y) const;

  /// Throws InputError for a weight of another shape.
  void replace(std::shared_ptr<weights::Weight> weight);

 private:
  friend class Observation;

  std::string name_;
  std::shared_ptr<weights::Weight> weight_;
  torch::Tensor own_bias_;
  std::int64_t activation_ = -1;
  std::vector<std::shared_ptr<const Observer>> observers_;
};

/// Lets an observer look at a slot while it lives; the slot lives longer and stays in its place.
class Observation {
 public:
  Observation(Slot& slot, Observer observer);
  Observation(Observation&& other) noexcept;
  Observation& operator=(Observation&&) = delete;
  ~Observation();

 private:
  Slot* slot_;
  std::shared_ptr<const Observer> observer_;
};

}  // namespace rankine::models
