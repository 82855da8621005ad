#include "models/image/image_network_reader.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/profile.hpp"
#include "core/random_stream.hpp"
#include "parallel/agreement.hpp"
#include "weights/forms/dense.hpp"
#include "weights/forms/read_form.hpp"

namespace rankine::models {

using parallel::Communicator;
using torch::Tensor;
using weights::RowSplit;

namespace {

torch::ScalarType type_of(Precision precision) {
  return precision == Precision::float64 ? torch::kFloat64 : torch::kFloat32;
}

/// Where the numbers of layers come from.
class LayerSource {
 public:
  virtual ~LayerSource() = default;
  virtual std::shared_ptr<weights::Weight> kernel(const LayerPlan& layer) = 0;
  /// `otherwise`: what it is in a network without a checkpoint.
  virtual Tensor numbers(const std::string& name, std::int64_t count, double otherwise) = 0;
};

class Checkpoint final : public LayerSource {
 public:
  Checkpoint(const Communicator& world, const Communicator& team, const ImageModel& model,
             torch::ScalarType type)
      : team_(team), file_(world, model.path), prefix_(model.prefix), type_(type) {
    if (!prefix_.empty())
      log().info("the tensors of {} are read without their prefix \"{}\"", model.path, prefix_);
  }

  std::shared_ptr<weights::Weight> kernel(const LayerPlan& layer) override {
    const std::int64_t outputs = layer.outputs.channels;
    const std::int64_t inputs =
        layer.inputs.channels / layer.geometry.groups * layer.geometry.area();
    const std::string name = prefix_ + layer.name;
    const RowSplit split = RowSplit::even(outputs, 1);
    if (!file_.find(name + ".weight"))
      return weights::read_form(team_, {file_, name, inputs, split, type_});
    const Tensor rows =
        weights::read_checked_rows(file_, name + ".weight", kernel_shape(layer), 0, outputs, type_);
    return std::make_shared<weights::Dense>(team_, split, rows.view({outputs, inputs}));
  }

  Tensor numbers(const std::string& name, std::int64_t count, double) override {
    const Tensor values =
        weights::read_checked_rows(file_, prefix_ + name, {count}, 0, count, type_);
    if (name.ends_with("running_var") && (values < 0).any().item<bool>())
      throw InputError(
          fmt::format("the tensor {} holds a negative variance (it would have no root). "
                      "Obtain the checkpoint again.",
                      prefix_ + name));
    return values;
  }

 private:
  const Communicator& team_;
  files::SafetensorsReader file_;
  std::string prefix_;
  torch::ScalarType type_;
};

class Draw final : public LayerSource {
 public:
  Draw(const Communicator& team, std::uint64_t seed, torch::ScalarType type)
      : team_(team), seed_(seed), type_(type) {}

  std::shared_ptr<weights::Weight> kernel(const LayerPlan& layer) override {
    const std::int64_t outputs = layer.outputs.channels;
    const std::int64_t inputs =
        layer.inputs.channels / layer.geometry.groups * layer.geometry.area();
    const double gain = layer.kind == LayerKind::linear ? 1 : 2;
    const double deviation = std::sqrt(gain / static_cast<double>(inputs));
    RandomStream random{seed_, kernels_++};
    Tensor rows = torch::empty({outputs, inputs}, torch::kFloat64);
    double* values = rows.data_ptr<double>();
    for (std::int64_t i = 0; i < rows.numel(); ++i)
      values[i] = deviation * normal_quantile(random.uniform());
    return std::make_shared<weights::Dense>(team_, RowSplit::even(outputs, 1), rows.to(type_));
  }

  Tensor numbers(const std::string&, std::int64_t count, double otherwise) override {
    return torch::full({count}, otherwise, type_);
  }

 private:
  const Communicator& team_;
  std::uint64_t seed_;
  std::uint64_t kernels_ = 0;
  torch::ScalarType type_;
};

/// Makes the layers of a plan.
class LayerMaker {
 public:
  explicit LayerMaker(LayerSource& source) : source_(source) {}

  ImageLayers make(const std::vector<LayerPlan>& plans) {
    ImageLayers layers;
    for (const LayerPlan& plan : plans) layers.push_back(make(plan));
    return layers;
  }

 private:
  std::unique_ptr<ImageLayer> make(const LayerPlan& plan) {
    switch (plan.kind) {
      case LayerKind::convolution:
        return std::make_unique<ConvolutionLayer>(slot(plan), plan.geometry);
      case LayerKind::linear:
        return std::make_unique<LinearLayer>(slot(plan));
      case LayerKind::batch_norm:
        return norm(plan);
      case LayerKind::prelu:
        return std::make_unique<Prelu>(plan.name,
                                       source_.numbers(plan.name + ".weight", plan.slopes, 0.25));
      case LayerKind::residual: {
        ImageLayers body = make(plan.body);
        return std::make_unique<Residual>(std::move(body), make(plan.shortcut));
      }
      default:
        return plain_layer(plan);
    }
  }

  Slot slot(const LayerPlan& plan) {
    auto weight = source_.kernel(plan);
    Tensor bias;
    if (plan.has_bias) bias = source_.numbers(plan.name + ".bias", plan.outputs.channels, 0);
    return Slot(plan.name, std::move(weight), std::move(bias), activations_++);
  }

  std::unique_ptr<ImageLayer> norm(const LayerPlan& plan) {
    const auto part = [&](const char* name, double otherwise) {
      return source_.numbers(plan.name + "." + name, plan.outputs.channels, otherwise);
    };
    NormTensors tensors{.weight = part("weight", 1),
                        .bias = part("bias", 0),
                        .mean = part("running_mean", 0),
                        .variance = part("running_var", 1)};
    return std::make_unique<BatchNorm>(plan.name, std::move(tensors), plan.epsilon);
  }

  LayerSource& source_;
  std::int64_t activations_ = 0;
};

}  // namespace

ImageNetwork read_image_network(const Communicator& world, const Communicator& team,
                                const ImageModel& model, Precision precision) {
  const ProfileStage stage("read model", Flops::counted);
  Checkpoint source(world, team, model, type_of(precision));
  ImageLayers layers =
      parallel::agree_on_failure(world, [&] { return LayerMaker(source).make(model.plan.layers); });
  return ImageNetwork(team, model.plan, std::move(layers));
}

ImageNetwork draw_image_network(const Communicator& team, const NetworkPlan& plan,
                                std::uint64_t seed, Precision precision) {
  Draw source(team, seed, type_of(precision));
  return ImageNetwork(team, plan, LayerMaker(source).make(plan.layers));
}

}  // namespace rankine::models
