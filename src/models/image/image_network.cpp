#include "models/image/image_network.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/contracts.hpp"
#include "core/random_stream.hpp"

namespace rankine::models {

using parallel::Communicator;
using torch::Tensor;

namespace {

/// Where a stage begins: at what holds weights of its own.
bool begins_stage(const LayerPlan& plan) {
  return plan.has_kernel() || plan.kind == LayerKind::residual;
}

const std::string& name_of(const LayerPlan& plan) {
  return plan.kind == LayerKind::residual && !plan.body.empty() ? plan.body.front().name
                                                                : plan.name;
}

}  // namespace

ImageNetwork::ImageNetwork(const Communicator& ranks, NetworkPlan plan, ImageLayers layers)
    : team_(&ranks), plan_(std::move(plan)), layers_(std::move(layers)) {
  RANKINE_EXPECTS(ranks.size() == 1, "image networks are held whole by every rank");
  for (const auto& layer : layers_) layer->list(parts_);
}

std::vector<Stage> ImageNetwork::stages() const {
  std::vector<std::size_t> firsts;
  for (std::size_t l = 0; l < layers_.size(); ++l)
    if (l == 0 || begins_stage(plan_.layers[l])) firsts.push_back(l);
  firsts.push_back(layers_.size());
  std::vector<Stage> stages;
  for (std::size_t s = 0; s + 1 < firsts.size(); ++s) {
    Stage stage{.name = fmt::format("{} ({} of {})", name_of(plan_.layers[firsts[s]]), s + 1,
                                    firsts.size() - 1),
                .forward = [this, first = firsts[s], end = firsts[s + 1]](const Tensor& x) {
                  Tensor y = x;
                  for (std::size_t l = first; l < end; ++l) y = layers_[l]->forward(y);
                  return y;
                }};
    LayerParts parts;
    for (std::size_t l = firsts[s]; l < firsts[s + 1]; ++l) layers_[l]->list(parts);
    stage.slots.assign(parts.slots.begin(), parts.slots.end());
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
    if (const Tensor& bias = slot->own_bias(); bias.defined())
      all.push_back({slot->name() + ".bias", bias, weights::Placement::rows, 0, bias.size(0)});
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

namespace {

/// Measures one norm after the other, stage by stage, and calls `found` before the images pass it.
void for_each_norm(ImageNetwork& network, const Communicator& ranks, std::vector<Tensor> own,
                   const std::function<void(std::size_t norm, ChannelMoments)>& found) {
  const torch::NoGradGuard no_gradients;
  const std::vector<BatchNorm*>& norms = network.norms();
  std::size_t next = 0;
  for (const Stage& stage : network.stages())
    // As many passes through the stage as it has norms, in their order, and one to go on.
    for (bool was_met = true; was_met;) {
      ChannelSums sums(next < norms.size() ? norms[next]->channels() : 1);
      if (next < norms.size()) norms[next]->measure_into(&sums);
      std::vector<Tensor> passed;
      for (const Tensor& x : own) passed.push_back(stage.forward(x));
      if (next < norms.size()) norms[next]->measure_into(nullptr);
      // On all ranks alike, even where some have no images.
      was_met = ranks.max(sums.is_empty() ? 0 : 1) == 1;
      if (!was_met) {
        own = std::move(passed);
        continue;
      }
      sums.reduce(ranks);
      found(next++, {sums.mean(), sums.variance()});
    }
}

}  // namespace

std::vector<ChannelMoments> measure_norm_statistics(ImageNetwork& network,
                                                    const Communicator& ranks,
                                                    std::vector<Tensor> own) {
  std::vector<ChannelMoments> all;
  for_each_norm(network, ranks, std::move(own),
                [&](std::size_t, ChannelMoments moments) { all.push_back(std::move(moments)); });
  return all;
}

void restore_norm_statistics(ImageNetwork& network, const Communicator& ranks,
                             std::vector<Tensor> own) {
  for_each_norm(network, ranks, std::move(own),
                [&](std::size_t norm, const ChannelMoments& moments) {
                  network.norms()[norm]->store(moments.mean, moments.variance);
                });
}

void shift_norm_statistics(ImageNetwork& network, const Communicator& ranks,
                           std::vector<Tensor> own, const std::vector<ChannelMoments>& before) {
  for_each_norm(network, ranks, std::move(own), [&](std::size_t norm, const ChannelMoments& now) {
    const NormTensors& stored = network.norms()[norm]->tensors();
    const ChannelMoments& then = before[norm];
    const Tensor grown = stored.variance.to(torch::kFloat64) * now.variance / then.variance;
    network.norms()[norm]->store(
        stored.mean.to(torch::kFloat64) + now.mean - then.mean,
        torch::where(then.variance > 0, grown, now.variance));
  });
}

}  // namespace rankine::models
