#include "models/image/image_network.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/contracts.hpp"
#include "core/random_stream.hpp"

namespace rankine::models {

using parallel::Communicator;
using torch::Tensor;

namespace {

void add_bias(std::vector<weights::Parameter>& all, const Slot& slot) {
  if (const Tensor& bias = slot.own_bias(); bias.defined())
    all.push_back({slot.name() + ".bias", bias, weights::Placement::rows, 0, bias.size(0)});
}

}  // namespace

ImageNetwork::ImageNetwork(const Communicator& ranks, NetworkPlan plan, ImageLayers layers)
    : team_(&ranks), plan_(std::move(plan)), layers_(std::move(layers)) {
  RANKINE_EXPECTS(ranks.size() == 1, "image networks are held whole by every rank");
  for (const auto& layer : layers_) layer->list(parts_);
}

std::vector<Stage> ImageNetwork::stages() const {
  const std::vector<StagePlan> plans = stages_of(plan_);
  std::vector<Stage> stages;
  for (const StagePlan& plan : plans) {
    Stage stage{.name = fmt::format("{} ({} of {})", plan.module, stages.size() + 1, plans.size()),
                .module = plan.module,
                .forward = [this, first = plan.first, end = plan.end](const Tensor& x) {
                  Tensor y = x;
                  for (std::size_t l = first; l < end; ++l) y = layers_[l]->forward(std::move(y));
                  return y;
                }};
    LayerParts parts;
    for (std::size_t l = plan.first; l < plan.end; ++l) layers_[l]->list(parts);
    stage.slots.assign(parts.slots.begin(), parts.slots.end());
    for (const Slot* slot : parts.slots) add_bias(stage.parameters, *slot);
    stage.parameters.insert(stage.parameters.end(), parts.trained.begin(), parts.trained.end());
    stages.push_back(std::move(stage));
  }
  return stages;
}

Tensor ImageNetwork::losses(const Tensor& logits, const Tensor& labels) const {
  return -logits.narrow(0, 0, labels.size(0))
              .to(torch::kFloat64)
              .log_softmax(1)
              .gather(1, labels.unsqueeze(1))
              .squeeze(1);
}

Tensor ImageNetwork::sample_targets(const Tensor& logits, std::int64_t count,
                                    std::uint64_t stream) const {
  const Tensor sums =
      logits.detach().narrow(0, 0, count).to(torch::kFloat64).softmax(1).cumsum(1).contiguous();
  RandomStream random{stream};
  Tensor drawn = torch::empty({count}, torch::kInt64);
  for (std::int64_t image = 0; image < count; ++image) {
    const double* row = sums.data_ptr<double>() + image * sums.size(1);
    const auto place = std::lower_bound(row, row + sums.size(1) - 1, random.uniform());
    drawn.data_ptr<std::int64_t>()[image] = place - row;
  }
  return drawn;
}

std::vector<weights::Parameter> ImageNetwork::parameters() const {
  std::vector<weights::Parameter> all;
  for (const Slot* slot : parts_.slots) {
    for (weights::Parameter parameter : slot->weight()->parameters()) {
      parameter.name = slot->name() + "." + parameter.name;
      all.push_back(std::move(parameter));
    }
    add_bias(all, *slot);
  }
  all.insert(all.end(), parts_.trained.begin(), parts_.trained.end());
  return all;
}

torch::ScalarType ImageNetwork::number_type() const {
  return parameters().front().values.scalar_type();
}

void ImageNetwork::use(NormStatistics statistics, const Communicator* ranks) {
  for (BatchNorm* norm : parts_.norms) norm->use(statistics, ranks);
}

std::int64_t ImageNetwork::stored_numbers() const {
  std::int64_t sum = 0;
  for (const Slot* slot : parts_.slots)
    sum += slot->weight()->stored_numbers() +
           (slot->own_bias().defined() ? slot->own_bias().numel() : 0);
  for (const weights::Parameter& parameter : parts_.trained) sum += parameter.values.numel();
  return sum;
}

std::vector<ChannelMoments> measure_norm_statistics(ImageNetwork& network,
                                                    const Communicator& ranks,
                                                    std::vector<Tensor> own) {
  const torch::NoGradGuard no_gradients;
  std::vector<ChannelMoments> all;
  pass_through(network.layers(), own,
               {ranks, [&](BatchNorm&, const ChannelMoments& moments) { all.push_back(moments); }});
  return all;
}

void restore_norm_statistics(ImageNetwork& network, const Communicator& ranks,
                             std::vector<Tensor> own) {
  const torch::NoGradGuard no_gradients;
  pass_through(network.layers(), own, {ranks, [](BatchNorm& norm, const ChannelMoments& moments) {
                                         norm.store(moments);
                                       }});
}

void shift_norm_statistics(ImageNetwork& network, const Communicator& ranks,
                           std::vector<Tensor> own, const std::vector<ChannelMoments>& before) {
  const torch::NoGradGuard no_gradients;
  auto then = before.begin();
  const auto shift = [&](BatchNorm& norm, const ChannelMoments& now) {
    const Tensor mean = norm.tensors().mean.to(torch::kFloat64) + now.mean - then->mean;
    const Tensor stored = norm.tensors().variance.to(torch::kFloat64);
    // A channel that never changed says nothing of how its variance grows.
    norm.store({mean, torch::where(then->variance > 0, stored * now.variance / then->variance,
                                   stored + now.variance)});
    ++then;
  };
  pass_through(network.layers(), own, {ranks, shift});
}

}  // namespace rankine::models
