#include "models/image/batch_norm.hpp"

#include <torch/csrc/autograd/custom_function.h>

#include <span>
#include <vector>

namespace rankine::models {

using parallel::Communicator;
using torch::Tensor;

namespace {

std::int64_t channels_of(const Tensor& x) { return x.size(1); }
std::int64_t values_of(const Tensor& x) { return x.numel() / channels_of(x); }

/// Mean and sum of squared distances from it, float64.
std::pair<Tensor, Tensor> local_moments(const Tensor& x) {
  if (x.size(0) == 0)
    return {torch::zeros({channels_of(x)}, torch::kFloat64),
            torch::zeros({channels_of(x)}, torch::kFloat64)};
  const auto [mean, variance] = at::batch_norm_update_stats(x, {}, {}, 0.0);
  return {mean.to(torch::kFloat64),
          variance.to(torch::kFloat64) * static_cast<double>(values_of(x))};
}

std::span<double> span_of(Tensor& values) {
  return {values.data_ptr<double>(), static_cast<std::size_t>(values.numel())};
}

struct SharedMoments {
  double count;
  Tensor mean, variance;  ///< float64
};

/// Of the parts of all ranks together.
SharedMoments share_moments(const Communicator& ranks, const Tensor& x) {
  const std::int64_t channels = channels_of(x);
  const auto [mean, squares] = local_moments(x);
  const auto own = static_cast<double>(values_of(x));
  Tensor sums = torch::cat({torch::full({1}, own, torch::kFloat64), mean * own});
  ranks.sum(span_of(sums));
  const double count = sums[0].item<double>();
  const Tensor whole = sums.narrow(0, 1, channels) / count;
  Tensor around = squares + own * (mean - whole).square();
  ranks.sum(span_of(around));
  return {count, whole, around / count};
}

struct NormGradients {
  Tensor x, weight, bias;
};

/// As if the statistics were constants. libtorch divides by the number of images.
NormGradients local_gradients(const Tensor& dy, const Tensor& x, const Tensor& weight,
                              const Tensor& mean, const Tensor& variance, double epsilon) {
  if (x.size(0) == 0)
    return {torch::zeros_like(x), torch::zeros_like(weight), torch::zeros_like(weight)};
  const auto [dx, dweight, dbias] = at::native_batch_norm_backward(
      dy.contiguous(), x, weight, mean, variance, {}, {}, false, epsilon, {true, true, true});
  return {dx, dweight, dbias};
}

struct NormOverRanks : public torch::autograd::Function<NormOverRanks> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x,
                        const Tensor& weight, const Tensor& bias, double epsilon,
                        std::int64_t ranks_address) {
    const auto& ranks = *reinterpret_cast<const Communicator*>(ranks_address);
    const SharedMoments moments = share_moments(ranks, x);
    const Tensor mean = moments.mean.to(x.scalar_type());
    const Tensor variance = moments.variance.to(x.scalar_type());
    context->save_for_backward({x, weight, mean, variance});
    context->saved_data["epsilon"] = epsilon;
    context->saved_data["count"] = moments.count;
    context->saved_data["ranks"] = ranks_address;
    return at::batch_norm(x, weight, bias, mean, variance, false, 0.0, epsilon, false);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &mean = saved[2], &variance = saved[3];
    const double epsilon = context->saved_data["epsilon"].toDouble();
    const double count = context->saved_data["count"].toDouble();
    const auto& ranks =
        *reinterpret_cast<const Communicator*>(context->saved_data["ranks"].toInt());
    auto [dx, dweight, dbias] = local_gradients(gradients[0], x, weight, mean, variance, epsilon);
    Tensor sums = torch::cat({dbias, dweight}).to(torch::kFloat64);
    ranks.sum(span_of(sums));
    const std::int64_t channels = channels_of(x);
    const Tensor of_gradient = sums.narrow(0, 0, channels) / count;
    const Tensor of_product = sums.narrow(0, channels, channels) / count;
    const Tensor inverse = (variance.to(torch::kFloat64) + epsilon).rsqrt();
    const Tensor scale = weight.to(torch::kFloat64) * inverse;
    const Tensor slope = -scale * inverse * of_product;
    const Tensor shift = -scale * of_gradient - slope * mean.to(torch::kFloat64);
    std::vector<std::int64_t> axes(static_cast<std::size_t>(x.dim()), 1);
    axes[1] = channels;
    dx.addcmul_(x, slope.to(x.scalar_type()).view(axes)).add_(shift.to(x.scalar_type()).view(axes));
    return {dx, dweight, dbias, Tensor(), Tensor()};
  }
};

}  // namespace

void ChannelSums::merge(double count, const Tensor& mean, const Tensor& squares) {
  if (count == 0) return;
  // Chan, Golub and LeVeque, 1983.
  const double sum = count_ + count;
  const Tensor step = mean - mean_;
  squares_ = squares_ + squares + step.square() * (count_ * count / sum);
  mean_ = mean_ + step * (count / sum);
  count_ = sum;
}

void ChannelSums::add(const Tensor& x) {
  const auto [mean, squares] = local_moments(x.detach());
  merge(static_cast<double>(values_of(x)), mean, squares);
}

void ChannelSums::reduce(const Communicator& ranks) {
  if (ranks.size() == 1) return;
  const Tensor own = torch::cat({torch::full({1}, count_, torch::kFloat64), mean_, squares_});
  const std::vector<double> all = ranks.all_gather(
      std::span<const double>(own.data_ptr<double>(), static_cast<std::size_t>(own.numel())));
  // Merged in the order of the ranks, so all have the same bits.
  ChannelSums sums(mean_.size(0));
  for (std::int64_t rank = 0; rank < ranks.size(); ++rank) {
    const Tensor part = torch::tensor(at::ArrayRef<double>(all), torch::kFloat64)
                            .narrow(0, rank * own.numel(), own.numel());
    sums.merge(part[0].item<double>(), part.narrow(0, 1, mean_.size(0)),
               part.narrow(0, 1 + mean_.size(0), mean_.size(0)));
  }
  *this = std::move(sums);
}

Tensor batch_norm_over_ranks(const Communicator& ranks, const Tensor& x, const NormTensors& norm,
                             double epsilon) {
  if (ranks.size() == 1)
    return at::batch_norm(x, norm.weight, norm.bias, {}, {}, true, 0.0, epsilon, false);
  return NormOverRanks::apply(x, norm.weight, norm.bias, epsilon,
                              reinterpret_cast<std::int64_t>(&ranks));
}

}  // namespace rankine::models
