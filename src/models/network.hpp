// What calibration, compression, training and slices ask of a network, whatever its family.
//
// A network is held in row blocks by a team of ranks. Activations pass through its stages one after
// the other; weights that may take other forms sit in the slots of the stages. A family implements
// this interface; nothing else needs to know it.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/slot.hpp"
#include "parallel/communicator.hpp"

namespace rankine::models {

/// What a network reads at once, and what it shall answer. Of a language model: a sequence of ids,
/// and the ids that follow its first positions. Of a classifier: images and their labels.
struct Batch {
  torch::Tensor inputs;
  torch::Tensor targets;  ///< along their first axis, one for each prediction that counts
};

/// A part of a network that turns one activation into the next.
struct Stage {
  std::string name;    ///< for people: "layer 3 of 30"
  std::string module;  ///< its name in the checkpoint: "model.layers.2", "layer1.0"
  /// Collective over the team, forward and backward; the activations are the same on all its ranks.
  std::function<torch::Tensor(const torch::Tensor&)> forward;
  std::vector<const Slot*> slots = {};  ///< in the order in which activations meet them
  /// Those of them whose outputs are added, as they are, to the activation that passes.
  std::vector<const Slot*> added_slots = {};
  /// What is trained in it beside the weights in slots: biases, norms, slopes. Named as in
  /// Network::parameters.
  std::vector<weights::Parameter> parameters = {};
};

class Network {
 public:
  virtual ~Network() = default;

  virtual const parallel::Communicator& team() const = 0;
  /// In the order in which activations pass; valid while the network stays in its place.
  virtual std::vector<Stage> stages() const = 0;
  /// Everything trainable on this rank, with the names of the checkpoint; where `placement` is
  /// copy, so are the gradients.
  virtual std::vector<weights::Parameter> parameters() const = 0;

  /// The loss of each prediction in nat, from what the last stage gave: float64, the same on all
  /// ranks, differentiable. Predictions beyond the targets do not count. Collective over the team,
  /// forward and backward.
  virtual torch::Tensor losses(const torch::Tensor& outputs,
                               const torch::Tensor& targets) const = 0;
  /// Targets for the first `count` predictions, drawn with the probabilities that the network gives
  /// them: the same on all ranks and, up to rounding, for any number of them. `stream` tells draws
  /// apart. Collective over the team.
  virtual torch::Tensor sample_targets(const torch::Tensor& outputs, std::int64_t count,
                                       std::uint64_t stream) const = 0;

  /// What the last stage makes of the inputs. Collective over the team.
  torch::Tensor forward(const torch::Tensor& inputs) const;
  torch::Tensor losses(const Batch& batch) const {
    return losses(forward(batch.inputs), batch.targets);
  }

  /// Every weight of the stages that may take another form, stage by stage.
  std::vector<const Slot*> slots() const;
  /// Those outside the stages: of a language model what makes logits of the last stage's outputs,
  /// and the embedding of ids where that is another weight.
  virtual std::vector<const Slot*> outer_slots() const { return {}; }
  bool is_outer(const std::string& slot) const;
  /// Throws InputError if there is none of that name.
  const Slot& slot(const std::string& name) const;
  Slot& slot(const std::string& name);
  /// Puts another weight of the same shape and split into a slot. Throws InputError if there is no
  /// such slot, or one of another shape.
  void replace_weight(const std::string& slot, std::shared_ptr<weights::Weight> weight);

 protected:
  Network() = default;
  Network(Network&&) = default;
  Network& operator=(Network&&) = default;
};

/// The weight in the slot of that name. Throws InputError if there is none.
std::shared_ptr<weights::Weight> weight_of(const Network& network, const std::string& slot);

/// Puts other weights into a network, and the original ones back in the end.
class TemporaryWeights {
 public:
  explicit TemporaryWeights(Network& network) : network_(network) {}
  TemporaryWeights(const TemporaryWeights&) = delete;
  TemporaryWeights& operator=(const TemporaryWeights&) = delete;
  ~TemporaryWeights();

  void replace(const std::string& slot, std::shared_ptr<weights::Weight> weight);

 private:
  struct Original {
    Slot* slot;
    std::shared_ptr<weights::Weight> weight;
  };
  Network& network_;
  std::vector<Original> originals_;
};

}  // namespace rankine::models
