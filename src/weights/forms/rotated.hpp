// A frozen weight with circuits of small blocks on its inputs, its outputs, or both.
#pragma once

#include <memory>
#include <optional>

#include "weights/forms/weight.hpp"
#include "weights/rotations/noisy_blocks.hpp"
#include "weights/rotations/rotation.hpp"

namespace rankine::weights {

/// W' = R_out W R_in, W in any form. The blocks' numbers are the same on all ranks,
/// "rotation.inputs.0" and so on, and each rank has all of their gradients.
class Rotated final : public Weight {
 public:
  /// A side without layers is the identity; not both are.
  Rotated(std::shared_ptr<Weight> base, Rotation inputs, Rotation outputs);

  Form form() const override { return Form::rotated; }
  /// The size of the largest blocks.
  std::int64_t kept_rank() const override;
  std::int64_t inputs() const override { return base_->inputs(); }
  torch::Tensor forward(const torch::Tensor& x) const override;
  torch::Tensor look_up(const torch::Tensor& ids) const override;
  /// The merged matrix.
  torch::Tensor own_rows() const override;
  std::vector<Parameter> parameters() const override;
  std::vector<Parameter> indices() const override;

  std::shared_ptr<Weight> base() const override { return base_; }
  const Rotation& input_rotation() const { return inputs_; }
  const Rotation& output_rotation() const { return outputs_; }

  /// Blocks act with this noise from now on, or exactly again, in `forward` without gradients. Each
  /// call draws anew: its numbers follow from the seed and from how many calls there were since.
  void set_noise(std::optional<BlockNoise> noise);

 private:
  /// The blocks, with gradients summed over the ranks, each of which goes on with rows of its own.
  BlockCircuit shared_circuit(const Rotation& rotation) const;
  torch::Tensor through(const Rotation& rotation, const torch::Tensor& x) const;

  std::shared_ptr<Weight> base_;
  Rotation inputs_;
  Rotation outputs_;
  std::optional<BlockNoise> noise_;
  mutable std::uint64_t noisy_calls_ = 0;
};

std::unique_ptr<Weight> read_rotated(std::shared_ptr<Weight> base, const DenseSource& source,
                                     const StoredTensors& tensors);

}  // namespace rankine::weights
