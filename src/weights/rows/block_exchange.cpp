#include "weights/rows/block_exchange.hpp"

#include <torch/csrc/autograd/custom_function.h>

#include <span>
#include <vector>

#include "core/contracts.hpp"
#include "parallel/agreement.hpp"
#include "weights/rows/element_type.hpp"

namespace rankine::weights {

using parallel::Communicator;
using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

namespace {

/// Contiguous blocks, one for each rank, go to them and come from them.
void exchange_blocks(const Communicator& team, const std::vector<Tensor>& sent,
                     const std::vector<Tensor>& arriving) {
  with_element_type(sent.front(), [&]<class T>(T) {
    std::vector<std::span<const T>> out;
    std::vector<std::span<T>> in;
    for (const Tensor& block : sent)
      out.emplace_back(block.data_ptr<T>(), static_cast<std::size_t>(block.numel()));
    for (const Tensor& block : arriving)
      in.emplace_back(block.data_ptr<T>(), static_cast<std::size_t>(block.numel()));
    team.exchange<T>(out, in);
  });
}

/// `across` is the split of the axis that is whole before and own after, `along` of the other one:
/// blocks of the first axis are sent as they lie in memory and arrive to be put side by side.
Tensor narrow_first_axis(const Communicator& team, const Tensor& matrix, const RowSplit& across,
                         const RowSplit& along) {
  const Tensor mine = matrix.detach().contiguous();
  std::vector<Tensor> sent, arriving;
  Tensor result;
  parallel::agree_on_failure(team, [&] {
    result = torch::empty({across.count(team.rank()), along.total()}, mine.options());
    for (int rank = 0; rank < team.size(); ++rank) {
      sent.push_back(mine.narrow(0, across.first(rank), across.count(rank)));
      arriving.push_back(
          torch::empty({across.count(team.rank()), along.count(rank)}, mine.options()));
    }
  });
  exchange_blocks(team, sent, arriving);
  for (int rank = 0; rank < team.size(); ++rank)
    result.narrow(1, along.first(rank), along.count(rank))
        .copy_(arriving[static_cast<std::size_t>(rank)]);
  return result;
}

/// The way back: blocks of the second axis are packed, and arrive in place.
Tensor widen_first_axis(const Communicator& team, const Tensor& matrix, const RowSplit& across,
                        const RowSplit& along) {
  const Tensor mine = matrix.detach();
  std::vector<Tensor> sent, arriving;
  Tensor result;
  parallel::agree_on_failure(team, [&] {
    result = torch::empty({across.total(), along.count(team.rank())}, mine.options());
    for (int rank = 0; rank < team.size(); ++rank) {
      sent.push_back(mine.narrow(1, along.first(rank), along.count(rank)).contiguous());
      arriving.push_back(result.narrow(0, across.first(rank), across.count(rank)));
    }
  });
  exchange_blocks(team, sent, arriving);
  return result;
}

struct RowsOfColumns : Function<RowsOfColumns> {
  static Tensor forward(AutogradContext* context, const Tensor& own, const Communicator* team,
                        const RowSplit& rows, const RowSplit& columns) {
    context->saved_data["team"] = reinterpret_cast<std::int64_t>(team);
    context->saved_data["rows"] = rows.counts();
    context->saved_data["columns"] = columns.counts();
    return narrow_first_axis(*team, own, rows, columns);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto& team = *reinterpret_cast<const Communicator*>(context->saved_data["team"].toInt());
    const auto split = [&](const char* name) {
      return RowSplit::of(context->saved_data[name].toIntVector());
    };
    return {widen_first_axis(team, gradients[0], split("rows"), split("columns")), Tensor(),
            Tensor(), Tensor()};
  }
};

}  // namespace

Tensor rows_of_columns(const Communicator& team, const Tensor& own_columns, const RowSplit& rows,
                       const RowSplit& columns) {
  RANKINE_EXPECTS(own_columns.dim() == 2 && own_columns.size(0) == rows.total() &&
                      own_columns.size(1) == columns.count(team.rank()),
                  "own columns are given");
  if (team.size() == 1) return own_columns;
  return RowsOfColumns::apply(own_columns, &team, rows, columns);
}

Tensor columns_of_rows(const Communicator& team, const Tensor& own_rows, const RowSplit& rows,
                       const RowSplit& columns) {
  RANKINE_EXPECTS(own_rows.dim() == 2 && own_rows.size(0) == rows.count(team.rank()) &&
                      own_rows.size(1) == columns.total(),
                  "own rows are given");
  return team.size() == 1 ? own_rows : widen_first_axis(team, own_rows, rows, columns);
}

}  // namespace rankine::weights
