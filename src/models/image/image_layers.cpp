#include "models/image/image_layers.hpp"

#include <algorithm>
#include <cmath>

#include "weights/rows/element_type.hpp"

namespace rankine::models {

using torch::Tensor;
using weights::Parameter;
using weights::Placement;

namespace {

/// x under the places of a kernel: (images * places) x (channels * height * width).
Tensor patches(const Tensor& x, const weights::ConvolutionGeometry& geometry) {
  if (geometry.area() == 1 && geometry.padding[0] + geometry.padding[1] == 0)
    return x.slice(2, 0, x.size(2), geometry.stride[0])
        .slice(3, 0, x.size(3), geometry.stride[1])
        .permute({0, 2, 3, 1})
        .reshape({-1, x.size(1)});
  const Tensor columns =
      at::im2col(x, geometry.kernel, geometry.dilation, geometry.padding, geometry.stride);
  return columns.transpose(1, 2).reshape({-1, columns.size(1)});
}

/// Images whose patches take about as much memory as a cache holds.
std::int64_t images_at_once(const Tensor& x, const weights::ConvolutionGeometry& geometry) {
  constexpr double most_numbers = 4e6;
  const std::int64_t places = geometry.places(0, x.size(2)) * geometry.places(1, x.size(3));
  const auto numbers = static_cast<double>(places * x.size(1) * geometry.area());
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(most_numbers / numbers));
}

/// Nobody else sees what is written into x.
bool is_ours(const Tensor& x) {
  return !at::GradMode::is_enabled() && x.use_count() == 1 && x.storage().use_count() == 1;
}

/// libtorch has batch norm into new memory only.
template <class T>
void normalise_in_place(const Tensor& x, const NormTensors& norm, double epsilon) {
  const std::int64_t channels = x.size(1), planes = x.size(0) * channels;
  const std::int64_t pixels = planes > 0 ? x.numel() / planes : 0;
  T* const values = x.data_ptr<T>();
  const T *weight = norm.weight.data_ptr<T>(), *bias = norm.bias.data_ptr<T>();
  const T *mean = norm.mean.data_ptr<T>(), *variance = norm.variance.data_ptr<T>();
#pragma omp parallel for
  for (std::int64_t plane = 0; plane < planes; ++plane) {
    const std::int64_t c = plane % channels;
    const T scale = weight[c] / std::sqrt(variance[c] + static_cast<T>(epsilon));
    const T shift = bias[c] - mean[c] * scale;
    T* const own = values + plane * pixels;
    for (std::int64_t p = 0; p < pixels; ++p) own[p] = own[p] * scale + shift;
  }
}

class Relu final : public ImageLayer {
  Tensor forward(Tensor x) const override { return is_ours(x) ? x.relu_() : x.relu(); }
};

class Pool final : public ImageLayer {
 public:
  explicit Pool(const LayerPlan& plan) : plan_(plan) {}
  Tensor forward(Tensor x) const override {
    const auto& window = plan_.geometry;
    if (plan_.kind == LayerKind::max_pool)
      return at::max_pool2d(x, window.kernel, window.stride, window.padding, window.dilation,
                            plan_.has_ceil_mode);
    return at::avg_pool2d(x, window.kernel, window.stride, window.padding, plan_.has_ceil_mode);
  }

 private:
  LayerPlan plan_;
};

class GlobalPool final : public ImageLayer {
  Tensor forward(Tensor x) const override { return x.mean({2, 3}); }
};

class Flatten final : public ImageLayer {
 public:
  explicit Flatten(FlattenOrder order) : order_(order) {}
  Tensor forward(Tensor x) const override {
    return (order_ == FlattenOrder::channels_last && x.dim() == 4 ? x.permute({0, 2, 3, 1}) : x)
        .flatten(1);
  }

 private:
  FlattenOrder order_;
};

class Subsample final : public ImageLayer {
 public:
  explicit Subsample(const LayerPlan& plan) : plan_(plan) {}
  Tensor forward(Tensor x) const override {
    const Tensor pixels = x.slice(2, 0, x.size(2), plan_.geometry.stride[0])
                              .slice(3, 0, x.size(3), plan_.geometry.stride[1]);
    const std::int64_t more = plan_.outputs.channels - plan_.inputs.channels;
    return at::constant_pad_nd(pixels, {0, 0, 0, 0, more / 2, more - more / 2});
  }

 private:
  LayerPlan plan_;
};

void list_all(const ImageLayers& layers, LayerParts& parts) {
  for (const auto& layer : layers) layer->list(parts);
}

Parameter whole(const std::string& name, const Tensor& values) {
  return {name, values, Placement::copy, 0, values.size(0)};
}

}  // namespace

Tensor forward_through(const ImageLayers& layers, const Tensor& x) {
  Tensor y = x;
  for (const auto& layer : layers) y = layer->forward(std::move(y));
  return y;
}

void pass_through(const ImageLayers& layers, std::vector<Tensor>& own, const NormVisit& visit) {
  for (const auto& layer : layers) layer->pass(own, visit);
}

void ImageLayer::pass(std::vector<Tensor>& own, const NormVisit&) {
  for (Tensor& x : own) x = forward(std::move(x));
}

void ConvolutionLayer::show_patches(const Tensor& x) const {
  const std::int64_t step = images_at_once(x, geometry_);
  for (std::int64_t first = 0; first < x.size(0); first += step)
    slot_.show_input(patches(x.narrow(0, first, std::min(step, x.size(0) - first)), geometry_));
}

Tensor ConvolutionLayer::forward(Tensor x) const {
  const weights::Weight& weight = *slot_.weight();
  if (!slot_.is_observed()) return weight.convolve(x, geometry_, slot_.own_bias());
  if (slot_.shows_inputs()) show_patches(x);
  const Tensor y = weight.convolve(x, geometry_, {});
  const std::vector<std::int64_t> shape{y.size(0), y.size(2), y.size(3), y.size(1)};
  const Tensor seen = slot_.observed(y.permute({0, 2, 3, 1}).reshape({-1, y.size(1)}));
  const Tensor sum = slot_.own_bias().defined() ? seen + slot_.own_bias() : seen;
  return sum.view(shape).permute({0, 3, 1, 2}).contiguous();
}

Tensor BatchNorm::forward(Tensor x) const {
  return statistics_ == NormStatistics::batch
             ? batch_norm_over_ranks(*ranks_, x, tensors_, epsilon_)
             : normalised_as_stored(std::move(x));
}

Tensor BatchNorm::normalised_as_stored(Tensor x) const {
  const auto& [weight, bias, mean, variance] = tensors_;
  if (!is_ours(x) || !x.is_contiguous())
    return at::batch_norm(x, weight, bias, mean, variance, false, 0.0, epsilon_, false);
  weights::with_element_type(x, [&]<class T>(T) { normalise_in_place<T>(x, tensors_, epsilon_); });
  return x;
}

void BatchNorm::list(LayerParts& parts) {
  parts.norms.push_back(this);
  parts.trained.push_back(whole(name_ + ".weight", tensors_.weight));
  parts.trained.push_back(whole(name_ + ".bias", tensors_.bias));
}

void BatchNorm::pass(std::vector<Tensor>& own, const NormVisit& visit) {
  ChannelSums sums(tensors_.weight.size(0));
  for (const Tensor& x : own) sums.add(x);
  sums.reduce(visit.ranks);
  visit.found(*this, {sums.mean(), sums.variance()});
  for (Tensor& x : own) x = normalised_as_stored(std::move(x));
}

void BatchNorm::store(const ChannelMoments& moments) {
  tensors_.mean.copy_(moments.mean);
  tensors_.variance.copy_(moments.variance);
}

std::unique_ptr<ImageLayer> plain_layer(const LayerPlan& plan) {
  switch (plan.kind) {
    case LayerKind::max_pool:
    case LayerKind::average_pool:
      return std::make_unique<Pool>(plan);
    case LayerKind::global_pool:
      return std::make_unique<GlobalPool>();
    case LayerKind::flatten:
      return std::make_unique<Flatten>(plan.order);
    case LayerKind::subsample:
      return std::make_unique<Subsample>(plan);
    default:
      return std::make_unique<Relu>();
  }
}

Tensor Prelu::forward(Tensor x) const { return torch::prelu(x, slopes_); }

void Prelu::list(LayerParts& parts) { parts.trained.push_back(whole(name_ + ".weight", slopes_)); }

Tensor Residual::forward(Tensor x) const {
  const Tensor around = forward_through(shortcut_, x);
  Tensor y = forward_through(body_, x);
  return is_ours(y) ? y.add_(around) : y + around;
}

void Residual::pass(std::vector<Tensor>& own, const NormVisit& visit) {
  std::vector<Tensor> around = own;
  pass_through(body_, own, visit);
  pass_through(shortcut_, around, visit);
  for (std::size_t i = 0; i < own.size(); ++i) own[i] = own[i] + around[i];
}

void Residual::list(LayerParts& parts) {
  list_all(body_, parts);
  list_all(shortcut_, parts);
}

}  // namespace rankine::models
