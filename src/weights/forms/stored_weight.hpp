// What a weight is stored as: its form, its tensors in row blocks over a team, and their way into
// files.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "files/safetensors/safetensors.hpp"
#include "parallel/communicator.hpp"
#include "weights/forms/form.hpp"
#include "weights/rows/row_split.hpp"
#include "weights/storage/parameter.hpp"
#include "weights/storage/storage.hpp"

namespace rankine::weights {

class Weight;

/// A matrix W, outputs x inputs, in row blocks over the ranks of a team. What is stored follows
/// from the tensors that a form lists and the storage they are rounded to, and from those of the
/// weight it stands on, if it is an adapter.
class StoredWeight {
 public:
  StoredWeight(const StoredWeight&) = delete;
  StoredWeight& operator=(const StoredWeight&) = delete;
  virtual ~StoredWeight() = default;

  virtual Form form() const = 0;
  /// How large the form is, in one number: the rank of factors, the largest bond dimension, the
  /// number of shared values; of a dense weight the smaller side.
  virtual std::int64_t kept_rank() const = 0;
  /// Of an adapter that of its base.
  Storage storage() const;

  /// The weight beside which an adapter stands: frozen, in a form and storage of its own. Nothing
  /// for other forms.
  virtual std::shared_ptr<Weight> base() const { return nullptr; }

  const parallel::Communicator& team() const { return *team_; }
  /// Which rows (outputs) each rank of the team owns.
  const RowSplit& split() const { return split_; }
  std::int64_t outputs() const { return split_.total(); }
  virtual std::int64_t inputs() const = 0;
  /// W itself in this rank's rows: split().count(rank) x inputs. May be collective over the team.
  virtual torch::Tensor own_rows() const = 0;

  /// The numbers this rank stores and may train, of an adapter those beside its base; the tensors
  /// share their memory with the weight.
  virtual std::vector<Parameter> parameters() const = 0;
  /// What is stored beside them and not trained: indices, as tensors of integers.
  virtual std::vector<Parameter> indices() const { return {}; }
  /// Numbers that store the weight, and bytes with all indices, of the whole weight and its base.
  std::int64_t stored_numbers() const;
  std::int64_t stored_bytes() const;

  /// Rounds the parameters in place to what a storage of few bits can hold; they are computed with
  /// as before, and not to be trained any more. Of an adapter the base is rounded.
  void round_to(Storage storage);
  /// The same for parameters as read from a file: they have the values that `rounded`, in the types
  /// of the file, stands for.
  void set_rounded(Storage storage, std::vector<Parameter> rounded);

  /// The tensors that `write` will write under names that begin with `name` ("model.norm"); `type`
  /// is that of numbers whose storage is exact, but those of an adapter have the type they are
  /// computed in.
  std::vector<files::TensorPlan> plan(const std::string& name, files::DataType type) const;
  /// Writes this rank's part of them.
  void write(files::SafetensorsWriter& writer, const std::string& name) const;

 protected:
  /// `team` outlives the weight.
  StoredWeight(const parallel::Communicator& team, RowSplit split)
      : team_(&team), split_(std::move(split)) {}
  std::int64_t own_first() const { return split_.first(team_->rank()); }
  std::int64_t own_count() const { return split_.count(team_->rank()); }

 private:
  /// Every tensor in the type it is stored in, without those of a base.
  std::vector<Parameter> stored_tensors() const;

  const parallel::Communicator* team_;
  RowSplit split_;
  Storage storage_ = Storage::exact;
  std::vector<Parameter> rounded_;  ///< what the parameters are stored as, unless that is exact
};

}  // namespace rankine::weights
