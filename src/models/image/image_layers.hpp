// The layers of an image network at work.
#pragma once

#include <torch/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/image/batch_norm.hpp"
#include "models/image/network_plan.hpp"
#include "models/slot.hpp"

namespace rankine::models {

class BatchNorm;
class ImageLayer;

/// What an image network is made of, in the order in which activations pass.
struct LayerParts {
  std::vector<Slot*> slots;
  std::vector<BatchNorm*> norms;
  std::vector<weights::Parameter> trained;  ///< beside those in slots
};

/// Mean and variance of what reaches a batch norm from all images, float64.
struct ChannelMoments {
  torch::Tensor mean, variance;
};

/// What happens where images reach a batch norm, before they pass it.
struct NormVisit {
  const parallel::Communicator& ranks;
  std::function<void(BatchNorm& norm, const ChannelMoments& moments)> found;
};

class ImageLayer {
 public:
  ImageLayer(const ImageLayer&) = delete;
  ImageLayer& operator=(const ImageLayer&) = delete;
  virtual ~ImageLayer() = default;

  /// x: images x channels x height x width, or images x features. It is overwritten where nobody
  /// else holds it and no gradient is wanted.
  virtual torch::Tensor forward(torch::Tensor x) const = 0;
  /// Puts each x of this rank through the layer, other ranks having theirs; norms first hand out
  /// the statistics of all of them. Collective.
  virtual void pass(std::vector<torch::Tensor>& own, const NormVisit& visit);
  /// Adds what the layer is made of.
  virtual void list(LayerParts&) {}

 protected:
  ImageLayer() = default;
};

using ImageLayers = std::vector<std::unique_ptr<ImageLayer>>;

/// Leaves x as it is.
torch::Tensor forward_through(const ImageLayers& layers, const torch::Tensor& x);
void pass_through(const ImageLayers& layers, std::vector<torch::Tensor>& own,
                  const NormVisit& visit);

/// The layer's kernel is a matrix outputs x (inputs / groups * height * width).
class ConvolutionLayer final : public ImageLayer {
 public:
  ConvolutionLayer(Slot slot, const weights::ConvolutionGeometry& geometry)
      : slot_(std::move(slot)), geometry_(geometry) {}

  /// Observers see patches: (images * places) x (inputs * height * width).
  torch::Tensor forward(torch::Tensor x) const override;
  void list(LayerParts& parts) override { parts.slots.push_back(&slot_); }

 private:
  void show_patches(const torch::Tensor& x) const;

  Slot slot_;
  weights::ConvolutionGeometry geometry_;
};

class LinearLayer final : public ImageLayer {
 public:
  explicit LinearLayer(Slot slot) : slot_(std::move(slot)) {}
  torch::Tensor forward(torch::Tensor x) const override { return slot_.forward(x.flatten(1)); }
  void list(LayerParts& parts) override { parts.slots.push_back(&slot_); }

 private:
  Slot slot_;
};

class BatchNorm final : public ImageLayer {
 public:
  BatchNorm(std::string name, NormTensors tensors, double epsilon)
      : name_(std::move(name)), tensors_(std::move(tensors)), epsilon_(epsilon) {}

  torch::Tensor forward(torch::Tensor x) const override;
  void pass(std::vector<torch::Tensor>& own, const NormVisit& visit) override;
  void list(LayerParts& parts) override;

  /// `ranks` take parts of one batch, and outlive the layer; not needed for stored statistics.
  void use(NormStatistics statistics, const parallel::Communicator* ranks) {
    statistics_ = statistics;
    ranks_ = ranks;
  }
  void store(const ChannelMoments& moments);

  const std::string& name() const { return name_; }
  const NormTensors& tensors() const { return tensors_; }

 private:
  torch::Tensor normalised_as_stored(torch::Tensor x) const;

  std::string name_;
  NormTensors tensors_;
  double epsilon_;
  NormStatistics statistics_ = NormStatistics::stored;
  const parallel::Communicator* ranks_ = nullptr;
};

/// All layers without weights.
std::unique_ptr<ImageLayer> plain_layer(const LayerPlan& plan);

class Prelu final : public ImageLayer {
 public:
  Prelu(std::string name, torch::Tensor slopes)
      : name_(std::move(name)), slopes_(std::move(slopes)) {}
  torch::Tensor forward(torch::Tensor x) const override;
  void list(LayerParts& parts) override;

 private:
  std::string name_;
  torch::Tensor slopes_;
};

class Residual final : public ImageLayer {
 public:
  Residual(ImageLayers body, ImageLayers shortcut)
      : body_(std::move(body)), shortcut_(std::move(shortcut)) {}
  torch::Tensor forward(torch::Tensor x) const override;
  void pass(std::vector<torch::Tensor>& own, const NormVisit& visit) override;
  void list(LayerParts& parts) override;

 private:
  ImageLayers body_;
  ImageLayers shortcut_;
};

}  // namespace rankine::models
