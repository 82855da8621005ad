#include "weights/rows/exchange.hpp"

#include <torch/csrc/autograd/custom_function.h>

#include <span>

#include "core/contracts.hpp"
#include "weights/rows/element_type.hpp"

namespace rankine::weights {

using parallel::Communicator;
using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

namespace {

void sum_values(const Communicator& ranks, const Tensor& values) {
  with_element_type(values, [&]<class T>(T) {
    ranks.sum(std::span(values.data_ptr<T>(), static_cast<std::size_t>(values.numel())));
  });
}

Tensor summed(const Communicator& ranks, const Tensor& part) {
  Tensor sum = part.detach().clone(at::MemoryFormat::Contiguous);
  sum_values(ranks, sum);
  return sum;
}

/// The blocks arrive one rank after the other and are put side by side.
Tensor gathered(const Communicator& team, const Tensor& own, const RowSplit& split) {
  const std::int64_t tokens = own.size(0);
  const Tensor mine = own.detach().contiguous();
  std::vector<std::int64_t> counts;
  for (const std::int64_t columns : split.counts()) counts.push_back(columns * tokens);
  Tensor blocks = torch::empty({tokens * split.total()}, mine.options());
  with_element_type(mine, [&]<class T>(T) {
    team.all_gather(std::span<const T>(mine.data_ptr<T>(), static_cast<std::size_t>(mine.numel())),
                    std::span<const std::int64_t>(counts),
                    std::span<T>(blocks.data_ptr<T>(), static_cast<std::size_t>(blocks.numel())));
  });
  Tensor all = torch::empty({tokens, split.total()}, mine.options());
  for (int rank = 0; rank < split.n_ranks(); ++rank)
    all.narrow(1, split.first(rank), split.count(rank))
        .copy_(blocks.narrow(0, split.first(rank) * tokens, split.count(rank) * tokens)
                   .view({tokens, split.count(rank)}));
  return all;
}

const Communicator& saved_ranks(AutogradContext* context) {
  return *reinterpret_cast<const Communicator*>(context->saved_data["ranks"].toInt());
}

void save_ranks(AutogradContext* context, const Communicator& ranks) {
  context->saved_data["ranks"] = reinterpret_cast<std::int64_t>(&ranks);
}

struct GatherColumns : Function<GatherColumns> {
  static Tensor forward(AutogradContext* context, const Tensor& own, const Communicator* team,
                        const RowSplit* split, Gradient gradient) {
    save_ranks(context, *team);
    context->saved_data["first"] = split->first(team->rank());
    context->saved_data["count"] = split->count(team->rank());
    context->saved_data["shares"] = gradient == Gradient::shares;
    return gathered(*team, own, *split);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    Tensor whole = gradients[0];
    if (context->saved_data["shares"].toBool()) whole = summed(saved_ranks(context), whole);
    return {
        whole.narrow(1, context->saved_data["first"].toInt(), context->saved_data["count"].toInt()),
        Tensor(), Tensor(), Tensor()};
  }
};

struct ShareInput : Function<ShareInput> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Communicator* team) {
    save_ranks(context, *team);
    return x.view_as(x);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    return {summed(saved_ranks(context), gradients[0]), Tensor()};
  }
};

struct SumOverRanks : Function<SumOverRanks> {
  static Tensor forward(AutogradContext*, const Tensor& part, const Communicator* team) {
    return summed(*team, part);
  }
  static variable_list backward(AutogradContext*, variable_list gradients) {
    return {gradients[0], Tensor()};
  }
};

}  // namespace

Tensor gather_columns(const Communicator& team, const Tensor& own, const RowSplit& split,
                      Gradient gradient) {
  RANKINE_EXPECTS(own.size(1) == split.count(team.rank()), "own columns are those of the split");
  if (team.size() == 1) return own;
  return GatherColumns::apply(own, &team, &split, gradient);
}

Tensor share_input(const Communicator& team, const Tensor& x) {
  return team.size() == 1 ? x : ShareInput::apply(x, &team);
}

Tensor sum_over_ranks(const Communicator& team, const Tensor& part) {
  return team.size() == 1 ? part : SumOverRanks::apply(part, &team);
}

void sum_in_place(const Communicator& peers, const std::vector<Tensor>& tensors) {
  for (const Tensor& tensor : tensors)
    if (tensor.defined()) sum_values(peers, tensor);
}

}  // namespace rankine::weights
