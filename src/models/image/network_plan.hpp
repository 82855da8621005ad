// The layers of an image network as data: what the names of architectures, JSON files, checkpoints
// and exports share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "core/named_values.hpp"
#include "models/image/image_shape.hpp"
#include "weights/rows/convolution_geometry.hpp"

namespace rankine::models {

enum class LayerKind {
  convolution,
  linear,
  batch_norm,
  relu,
  prelu,
  max_pool,
  average_pool,
  global_pool,  ///< mean over all pixels
  flatten,
  subsample,  ///< every stride-th pixel, and channels of zeros on both sides
  residual,   ///< the sum of its body and its shortcut
};

/// With their names in JSON files.
std::span<const Named<LayerKind>> layer_kinds();
std::string_view name(LayerKind kind);

/// In which order the numbers of an activation stand when it is flattened.
enum class FlattenOrder { channels_first, channels_last };

/// A layer, whose sizes are known.
struct LayerPlan {
  LayerKind kind;
  std::string name = {};                       ///< of its tensors in checkpoints, without ".weight"
  ImageShape inputs = {};                      ///< of what it takes
  ImageShape outputs = {};                     ///< of what it makes
  weights::ConvolutionGeometry geometry = {};  ///< of convolutions and pools
  bool has_bias = false;
  bool has_ceil_mode = false;  ///< of pools: a last window that overlaps the border counts
  double epsilon = 1e-5;       ///< of batch norm
  std::int64_t slopes = 1;     ///< of PReLU: one, or one for each channel
  FlattenOrder order = FlattenOrder::channels_first;
  std::vector<LayerPlan> body = {};
  std::vector<LayerPlan> shortcut = {};  ///< of nothing: the input itself

  bool has_kernel() const { return kind == LayerKind::convolution || kind == LayerKind::linear; }
};

struct NetworkPlan {
  ImageShape input;
  std::int64_t classes = 0;
  std::vector<LayerPlan> layers;

  /// Every layer, bodies before shortcuts, in the order in which activations pass.
  void for_each(const std::function<void(const LayerPlan&)>& visit) const;
  /// Numbers that are trained.
  std::int64_t parameters() const;
};

/// Layers of a network that make a stage of it (models/network.hpp).
struct StagePlan {
  std::string module;      ///< "conv1"; "layer1.0" of a residual block
  std::size_t first, end;  ///< layers [first, end)
};

/// A stage begins at a layer with a kernel, at a residual block and at a global pool, so that no
/// border cuts a skip connection and one stands behind the last block.
std::vector<StagePlan> stages_of(const NetworkPlan& plan);

/// From the first convolution of a residual network of the ImageNet family on.
enum class Stem {
  cifar,     ///< 3 x 3
  imagenet,  ///< 7 x 7 with stride 2, and a pool of stride 2
};
inline constexpr std::array stem_names{Named<Stem>{Stem::cifar, "cifar"},
                                       Named<Stem>{Stem::imagenet, "imagenet"}};

/// Residual networks of 6n+2 layers (He et al., arXiv:1512.03385, section 4.2), whose shortcuts
/// have no parameters (option A). Throws InputError for another depth.
NetworkPlan cifar_resnet(std::int64_t depth, const ImageShape& input, std::int64_t classes);

/// ResNet-18, -34 (basic blocks) and -50 (bottlenecks with the stride in the 3 x 3 convolution)
/// with projections as shortcuts, named as torchvision names them.
NetworkPlan imagenet_resnet(std::int64_t depth, Stem stem, const ImageShape& input,
                            std::int64_t classes);

/// From the text of a JSON file: {"layers": [{"type": "convolution", "name": "conv1", "outputs":
/// 16, "kernel": [5, 5], "padding": [2, 2]}, {"type": "relu"}, ...]} (docs/file_formats.md). Throws
/// InputError, naming file and layer.
NetworkPlan parse_plan(const nlohmann::json& json, const std::filesystem::path& file,
                       const ImageShape& input);
/// The same the other way round.
nlohmann::json to_json(const NetworkPlan& plan);

}  // namespace rankine::models
