// What a layer knows of its weight matrix, however that is stored.
//
// A weight W (outputs x inputs) is held in row blocks over the ranks of a team. A new form
// (factors, clusters, ...) is a class that implements this interface; the models need no change.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "files/safetensors/safetensors.hpp"
#include "weights/rows/row_split.hpp"

namespace rankine::weights {

/// What a rank holds of a stored tensor.
enum class Placement {
  rows,  ///< rows of its own
  copy,  ///< all of it, as every rank of the team does; so is its gradient
};

/// A stored tensor of a weight. `name` tells it from the others of the weight: "weight".
struct Parameter {
  std::string name;
  torch::Tensor values;  ///< what this rank holds
  Placement placement = Placement::rows;
  std::int64_t first_row = 0;   ///< of `values` in the whole tensor
  std::int64_t total_rows = 0;  ///< of the whole tensor
};

class Weight {
 public:
  Weight() = default;
  Weight(const Weight&) = delete;
  Weight& operator=(const Weight&) = delete;
  virtual ~Weight() = default;

  /// The name of the form in files and decks: "dense", "low-rank", ...
  virtual std::string form() const = 0;
  /// How its numbers are stored: "exact" (as they are computed with), "bfloat16", "float16",
  /// "4-bit".
  virtual std::string storage() const { return "exact"; }

  /// Which rows (outputs) each rank of the team owns.
  virtual const RowSplit& split() const = 0;
  std::int64_t outputs() const { return split().total(); }
  virtual std::int64_t inputs() const = 0;

  /// x (tokens x inputs, the same on all ranks) W^T: the columns of this rank's rows, tokens x
  /// split().count(rank). Differentiable in x, where each rank gets its share of the gradient
  /// (weights/exchange.hpp), and in the parameters. May be collective over the team.
  virtual torch::Tensor forward(const torch::Tensor& x) const = 0;

  /// Rows of W for `ids` (int64, any of [0, outputs)) where this rank owns them, zeros elsewhere:
  /// ids x inputs. Differentiable in the parameters. May be collective over the team.
  virtual torch::Tensor look_up(const torch::Tensor& ids) const = 0;

  /// W itself in this rank's rows: split().count(rank) x inputs. May be collective over the team.
  virtual torch::Tensor own_rows() const = 0;

  /// The numbers this rank stores; the tensors share their memory with the weight.
  virtual std::vector<Parameter> parameters() const = 0;
  /// What is stored beside them and not trained: indices, as tensors of integers.
  virtual std::vector<Parameter> indices() const { return {}; }
  /// Numbers that store the weight, and bytes with all indices, of the whole weight.
  virtual std::int64_t stored_numbers() const = 0;
  virtual std::int64_t stored_bytes() const = 0;

  /// The tensors that `write` will write under names that begin with `name` ("model.norm").
  virtual std::vector<files::TensorPlan> plan(const std::string& name,
                                              files::DataType type) const = 0;
  /// Writes this rank's part of them.
  virtual void write(files::SafetensorsWriter& writer, const std::string& name) const = 0;
};

}  // namespace rankine::weights
