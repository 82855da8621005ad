#include "compress/decomposition/whole_decomposition.hpp"

#include <algorithm>
#include <span>

#include "compress/decomposition/weighted_svd.hpp"
#include "weights/making/ridge.hpp"

namespace rankine::compress {

using parallel::Communicator;
using parallel::Teams;
using torch::Tensor;

namespace {

/// Bases that one rank holds.
class OwnedBases final : public Bases {
 public:
  /// `left` (m x k) and `right` (k x n) are given on rank `owner`.
  OwnedBases(const Communicator& world, int owner, std::int64_t columns, torch::ScalarType type,
             Tensor left, Tensor right)
      : world_(world),
        owner_(owner),
        columns_(columns),
        type_(type),
        left_(std::move(left)),
        right_(std::move(right)) {}

  Tensor left_rows(weights::RowRange wanted, std::int64_t kept_rank) const override {
    if (world_.rank() != owner_) return exchange(torch::empty({0, kept_rank}, type_), wanted);
    return exchange(left_.narrow(1, 0, kept_rank), wanted);
  }
  Tensor right_rows(weights::RowRange wanted) const override {
    if (world_.rank() != owner_) return exchange(torch::empty({0, columns_}, type_), wanted);
    return exchange(right_, wanted);
  }

 private:
  Tensor exchange(const Tensor& own, weights::RowRange wanted) const {
    return weights::exchange_rows(world_, own, {0, own.size(0)}, wanted);
  }

  const Communicator& world_;
  int owner_;
  std::int64_t columns_;
  torch::ScalarType type_;
  Tensor left_;
  Tensor right_;
};

}  // namespace

WholeGroup::WholeGroup(const GroupTask& task, const Communicator& world, const Teams& teams,
                       int owner)
    : world_(world),
      owner_(owner),
      ridge_(task.ridge),
      input_ridge_(task.input_ridge),
      type_(task.type),
      columns_(task.weights.front().weight.inputs()) {
  for (const WeightTask& weight : task.weights) {
    Member& member = members_.emplace_back();
    member.result = &weight.result;
    member.rows = weight.weight.outputs();
    member.matrix = whole_matrix_on(weight.weight, world, teams, owner, task.type);
    if (weight.outputs) member.output_moment = weight.outputs->assemble_on(world, owner);
  }
  if (task.inputs) input_moment_ = task.inputs->assemble_on(world, owner);
}

void WholeGroup::run() {
  MatrixNorm norm;
  const bool has_no_inputs = input_moment_.defined() && weights::is_zero(input_moment_);
  if (input_moment_.defined() && !has_no_inputs) {
    norm.inputs = std::move(input_moment_);
    weights::add_ridge(norm.inputs, weights::ridge_above_rounding(input_ridge_, columns_, type_));
  }
  for (Member& member : members_) {
    Tensor moment = std::move(member.output_moment);
    const bool has_no_effect = moment.defined() && weights::is_zero(moment);
    norm.outputs = Tensor();
    if (moment.defined() && !has_no_effect) {
      norm.outputs =
          weights::add_ridge(moment, weights::ridge_above_rounding(ridge_, member.rows, type_));
    }
    WeightedComponents components = weighted_svd(member.matrix, norm, type_);
    member.matrix = Tensor();
    member.left = std::move(components.left);
    member.right = std::move(components.right);
    member.singular_values = std::move(components.singular_values);
    if (has_no_inputs || has_no_effect) std::ranges::fill(member.singular_values, 0.0);
  }
}

void WholeGroup::finish() {
  for (Member& member : members_) {
    std::int64_t size = std::ssize(member.singular_values);
    world_.broadcast(std::span(&size, 1), owner_);
    member.singular_values.resize(static_cast<std::size_t>(size));
    world_.broadcast(std::span(member.singular_values), owner_);
    member.result->singular_values = member.singular_values;
    member.result->bases =
        std::make_shared<OwnedBases>(world_, owner_, columns_, type_, member.left, member.right);
  }
}

}  // namespace rankine::compress
