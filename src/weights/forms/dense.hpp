// A weight stored as what it is: all its numbers.
#pragma once

#include "parallel/communicator.hpp"
#include "weights/forms/weight.hpp"

namespace rankine::weights {

/// Where a dense weight stands in a checkpoint, and how it is to be held.
struct DenseSource {
  const files::SafetensorsReader& file;
  std::string name;  ///< without ".weight"
  std::int64_t inputs;
  RowSplit split;
  torch::ScalarType type;  ///< float32 or float64
};

class Dense final : public Weight {
 public:
  /// Takes over this rank's rows, split.count(rank) x inputs.
  Dense(const parallel::Communicator& team, RowSplit split, torch::Tensor own_rows);

  /// Reads this rank's rows of "<name>.weight". Not collective. Throws InputError (no such tensor,
  /// wrong shape, file too short) or NumericalError (a number that is not finite).
  static std::unique_ptr<Dense> read(const parallel::Communicator& team, const DenseSource& source);

  std::string form() const override { return "dense"; }
  const RowSplit& split() const override { return split_; }
  std::int64_t inputs() const override { return rows_.size(1); }
  torch::Tensor forward(const torch::Tensor& x) const override;
  torch::Tensor look_up(const torch::Tensor& ids) const override;
  torch::Tensor own_rows() const override { return rows_; }
  std::vector<Parameter> parameters() const override {
    return {{"weight", rows_, Placement::rows, split_.first(rank_), split_.total()}};
  }
  std::int64_t stored_numbers() const override { return outputs() * inputs(); }
  std::int64_t stored_bytes() const override;
  std::vector<files::TensorPlan> plan(const std::string& name, files::DataType type) const override;
  void write(files::SafetensorsWriter& writer, const std::string& name) const override;

 private:
  int rank_;
  RowSplit split_;
  torch::Tensor rows_;
};

/// Rows [first, first + count) of a tensor that must have `shape`; as a tensor of `type`. Throws
/// like Dense::read.
torch::Tensor read_checked_rows(const files::SafetensorsReader& file, const std::string& tensor,
                                const std::vector<std::int64_t>& shape, std::int64_t first,
                                std::int64_t count, torch::ScalarType type);

}  // namespace rankine::weights
