// A network on calibration batches in step with the one that its weights are changed into, stage by
// stage: what a changed weight will read, and what it should answer for the original's activations
// to come back.
#pragma once

#include <torch/types.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compress/calibration/moments.hpp"
#include "compress/calibration/target_output.hpp"
#include "models/network.hpp"
#include "parallel/communicator.hpp"
#include "parallel/teams.hpp"

namespace rankine::compress {

/// Sums over tokens of what weights with one input read in the changed network, x', and of what
/// they should answer, y.
struct TargetMoments {
  SecondMoment inputs;  ///< x' x'^T, of this team's batches
  /// y x'^T of each weight: this rank's rows of it x inputs, float64, over all teams.
  std::vector<torch::Tensor> targets;
};

/// Changes the weights of a network one after the other. While the original's turn is, its weights
/// are back in their slots. Methods are collective over the world.
class PairedStreams {
 public:
  /// Teams take the batches in turn. What is given outlives the streams; `between` is called after
  /// every pass of a batch through a stage.
  PairedStreams(
      models::Network& network, const parallel::Communicator& world, const parallel::Teams& teams,
      const std::vector<models::Batch>& batches, std::function<void()> between = [] {});

  /// `group`: slots of `stage` that read one activation; the activations have come before the
  /// stage.
  TargetMoments measure(const models::Stage& stage, const std::vector<const models::Slot*>& group,
                        TargetOutput output);

  /// Of the stage at which the activations are.
  void replace(const std::string& slot, std::shared_ptr<weights::Weight> weight);
  /// The weight that the slot had at first.
  std::shared_ptr<weights::Weight> original(const models::Slot& slot) const;

  /// Takes the activations of both networks behind `stage`.
  void advance(const models::Stage& stage);

 private:
  /// What is asked of both networks.
  struct Question {
    const models::Stage& stage;
    const std::vector<const models::Slot*>& group;
    bool is_of_stream;
    std::vector<const models::Slot*> added;  ///< to the stream, before the group's outputs are
  };
  struct Answers {
    std::vector<torch::Tensor> own;  ///< own columns of the outputs of each weight
    torch::Tensor stream = {};       ///< the activation to which these are added
  };
  struct Reading {
    torch::Tensor inputs = {};
    torch::Tensor stream = {};
  };

  Question question(const models::Stage& stage, const std::vector<const models::Slot*>& group,
                    TargetOutput output) const;
  Answers ask_original(const Question& question, std::size_t b);
  Reading read_changed(const Question& question, std::size_t b);
  void add(TargetMoments& sums, const Question& question, const Answers& answers,
           const Reading& reading) const;
  /// Of batch b; nothing if the pass ended where an observer had seen enough.
  std::optional<torch::Tensor> pass_original(const models::Stage& stage, std::size_t b);

  models::Network& network_;
  const parallel::Communicator& world_;
  const parallel::Teams& teams_;
  std::function<void()> between_;
  std::vector<torch::Tensor> originals_;  ///< activations of this team's batches
  std::vector<torch::Tensor> changed_;    ///< the same tensors until a weight is changed
  std::vector<torch::Tensor> behind_;     ///< the original's behind the stage, if already known
  std::map<std::string, std::shared_ptr<weights::Weight>> replaced_;  ///< in this stage
  bool has_changed_ = false;
};

}  // namespace rankine::compress
