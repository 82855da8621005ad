// The tensors of one weight in a checkpoint, whatever they are stored in.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "weights/forms/dense.hpp"

namespace rankine::weights {

/// `part` is the name of a tensor after that of the weight: "left". Nothing here is collective.
/// Errors (InputError, NumericalError) name the tensor.
class StoredTensors {
 public:
  StoredTensors(const DenseSource& source, int rank) : source_(source), rank_(rank) {}

  bool has(const std::string& part) const;
  bool in_four_bits(const std::string& part) const;
  /// Nothing for what is stored in 4 bits.
  std::optional<files::DataType> type(const std::string& part) const;
  /// Of the tensor, or of what its 4-bit blocks stand for; no length is negative, and the numbers
  /// are as many as the file has room for.
  std::vector<std::int64_t> shape(const std::string& part) const;
  /// Of a tensor of one axis; refuses another one.
  std::int64_t length(const std::string& part) const;

  /// Rows of the first axis, in the type of the source.
  torch::Tensor rows(const std::string& part, std::int64_t first, std::int64_t count) const;
  torch::Tensor own(const std::string& part, const RowSplit& split) const {
    return rows(part, split.first(rank_), split.count(rank_));
  }
  /// All of a tensor with axes.
  torch::Tensor all(const std::string& part) const { return rows(part, 0, shape(part)[0]); }
  /// Rows of a tensor of integers, as int64. Refuses another one.
  torch::Tensor integers(const std::string& part, std::int64_t first, std::int64_t count) const;

  /// Refuses the weight unless what the file holds under its name are just the tensors of `plan`,
  /// whose names begin with it, and their biases.
  void require_just(const std::vector<files::TensorPlan>& plan) const;

  /// What the file holds of a parameter in 4 bits, as weights/storage/rounding.hpp gives it.
  std::vector<Parameter> four_bit_parts(const Parameter& parameter) const;

  void require(const std::string& part, bool fits, const std::string& reason) const {
    if (!fits) refuse(part, reason);
  }
  /// Throws the InputError of a tensor that does not fit.
  [[noreturn]] void refuse(const std::string& part, const std::string& reason) const;

 private:
  const files::TensorEntry* find(const std::string& part) const {
    return source_.file.find(source_.name + "." + part);
  }
  const files::TensorEntry& at(const std::string& part) const {
    return source_.file.at(source_.name + "." + part);
  }
  /// Rows of a stored piece of 4-bit blocks, which must have its type: codes as uint8, the others
  /// as float16.
  torch::Tensor piece_rows(const std::string& part, std::int64_t first, std::int64_t count) const;
  torch::Tensor four_bit_rows(const std::string& part, const std::vector<std::int64_t>& whole,
                              std::int64_t first, std::int64_t count) const;

  const DenseSource& source_;
  int rank_;
};

}  // namespace rankine::weights
