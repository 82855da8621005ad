// A network of another family than language models, in one file: y = V relu(W x + b), whose loss is
// half the squared distance from the targets. It shows what a family has to implement.
#pragma once

#include <memory>

#include "models/network.hpp"
#include "weights/forms/dense.hpp"
#include "weights/rows/exchange.hpp"

namespace rankine {

class TwoLayerPerceptron final : public models::Network {
 public:
  /// Every rank gives the whole matrices and keeps its rows.
  TwoLayerPerceptron(const parallel::Communicator& team, const torch::Tensor& w,
                     const torch::Tensor& b, const torch::Tensor& v)
      : team_(team),
        hidden_("hidden", own_rows(w), own_part(b), 0),
        output_("output", own_rows(v), {}, 1) {}

  const parallel::Communicator& team() const override { return team_; }

  std::vector<models::Stage> stages() const override {
    return {{"hidden layer",
             "hidden",
             [this](const torch::Tensor& x) { return torch::relu(product(hidden_, x)); },
             {&hidden_}},
            {"output layer",
             "output",
             [this](const torch::Tensor& h) { return product(output_, h); },
             {&output_}}};
  }

  std::vector<weights::Parameter> parameters() const override {
    std::vector<weights::Parameter> all;
    for (const models::Slot* slot : slots())
      for (weights::Parameter parameter : slot->weight()->parameters()) {
        parameter.name = slot->name() + "." + parameter.name;
        all.push_back(std::move(parameter));
      }
    const weights::RowSplit& split = hidden_.weight()->split();
    all.push_back({"hidden.bias", hidden_.own_bias(), weights::Placement::rows,
                   split.first(team_.rank()), split.total()});
    return all;
  }

  torch::Tensor losses(const torch::Tensor& y, const torch::Tensor& targets) const override {
    return 0.5 * (y.narrow(0, 0, targets.size(0)) - targets).square().sum(1);
  }
  /// Of the normal distribution around y whose negative logarithm the loss is.
  torch::Tensor sample_targets(const torch::Tensor& y, std::int64_t count,
                               std::uint64_t stream) const override {
    auto random = at::detail::createCPUGenerator(stream);
    const torch::Tensor mean = y.detach().narrow(0, 0, count);
    return mean + at::normal(0.0, 1.0, mean.sizes(), random, mean.options());
  }

 private:
  torch::Tensor own_part(const torch::Tensor& whole) const {
    const auto split = weights::RowSplit::even(whole.size(0), team_.size());
    return whole.narrow(0, split.first(team_.rank()), split.count(team_.rank())).clone();
  }
  std::shared_ptr<weights::Weight> own_rows(const torch::Tensor& whole) const {
    return std::make_shared<weights::Dense>(
        team_, weights::RowSplit::even(whole.size(0), team_.size()), own_part(whole));
  }
  /// The same on all ranks.
  torch::Tensor product(const models::Slot& slot, const torch::Tensor& x) const {
    return weights::gather_columns(team_, slot.forward(weights::share_input(team_, x)),
                                   slot.weight()->split(), weights::Gradient::same);
  }

  const parallel::Communicator& team_;
  models::Slot hidden_;
  models::Slot output_;
};

}  // namespace rankine
