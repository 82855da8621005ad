// A form whose numbers are stored in few bits: 16-bit floating point, or blocks of 4-bit integers.
#pragma once

#include <memory>

#include "weights/forms/form.hpp"

namespace rankine::weights {

enum class Storage {
  bfloat16,
  float16,
  /// Per block of 32 numbers along a row: the least one and a step, both float16, and 4 bits for
  /// each number; 5 bits a number.
  four_bits,
};

/// The name in decks and manifests: "bfloat16", "float16", "4-bit".
std::string_view name(Storage storage);
/// InputError when there is none of this name.
Storage storage_named(std::string_view name);

/// Wraps any weight, which is not to be trained any more: its parameters are rounded in place to
/// what the storage can hold, and computed with as before.
class Quantized final : public Weight {
 public:
  Quantized(const parallel::Communicator& team, std::shared_ptr<Weight> inner, Storage storage);
  /// As read from a file: `inner` has the values that `stored`, in the types of the file, stands
  /// for.
  Quantized(const parallel::Communicator& team, std::shared_ptr<Weight> inner, Storage storage,
            std::vector<Parameter> stored);

  const Weight& inner() const { return *inner_; }

  std::string form() const override { return inner_->form(); }
  std::string storage() const override { return std::string(name(storage_)); }
  const RowSplit& split() const override { return inner_->split(); }
  std::int64_t inputs() const override { return inner_->inputs(); }
  torch::Tensor forward(const torch::Tensor& x) const override { return inner_->forward(x); }
  torch::Tensor look_up(const torch::Tensor& ids) const override { return inner_->look_up(ids); }
  torch::Tensor own_rows() const override { return inner_->own_rows(); }
  std::vector<Parameter> parameters() const override { return inner_->parameters(); }
  std::vector<Parameter> indices() const override { return inner_->indices(); }
  std::int64_t stored_numbers() const override { return inner_->stored_numbers(); }
  std::int64_t stored_bytes() const override;
  /// `type` is not used: the storage decides. 4-bit storage writes "<parameter>.codes", ".minima",
  /// ".steps" (weights/four_bits.hpp) and ".shape".
  std::vector<files::TensorPlan> plan(const std::string& name, files::DataType type) const override;
  void write(files::SafetensorsWriter& writer, const std::string& name) const override;

 private:
  void round();

  int rank_;
  std::shared_ptr<Weight> inner_;
  Storage storage_;
  std::vector<Parameter> stored_;  ///< in the types of the file
};

std::unique_ptr<Weight> make_quantized(const parallel::Communicator& team,
                                       std::shared_ptr<Weight> form, Storage storage);

}  // namespace rankine::weights
