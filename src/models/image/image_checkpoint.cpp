#include "models/image/image_checkpoint.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "core/errors.hpp"
#include "core/input_file.hpp"
#include "core/text_format.hpp"
#include "files/json_document.hpp"
#include "files/safetensors/layout.hpp"

namespace rankine::models {

namespace {

constexpr std::string_view cifar_prefix = "cifar-resnet-";

[[noreturn]] void refuse_architecture(const std::string& name) {
  throw InputError(fmt::format(
      "model.architecture = \"{}\" is not known. Choose \"cifar-resnet-20\" (or another depth of "
      "6n+2), \"resnet-18\", \"resnet-34\", \"resnet-50\", or \"plain\" with model.layers.",
      name));
}

std::int64_t depth_after(std::string_view prefix, const std::string& architecture) {
  std::int64_t depth = 0;
  const char* first = architecture.data() + prefix.size();
  const char* last = architecture.data() + architecture.size();
  const auto [end, error] = std::from_chars(first, last, depth);
  if (error != std::errc() || end != last) refuse_architecture(architecture);
  return depth;
}

/// The JSON file that describes a plain network.
std::filesystem::path layers_file(const ModelOptions& options) {
  if (!options.layers.empty()) return options.layers;
  const std::filesystem::path beside = std::filesystem::path(options.path) / network_file_name;
  if (!options.path.empty() && input_exists(beside)) return beside;
  throw InputError(
      "model.layers is not set (model.architecture = \"plain\" is described by a JSON file, and "
      "the "
      "checkpoint has none beside it). Name the file; docs/file_formats.md shows one.");
}

NetworkPlan plan_of(const ModelOptions& options, Stem stem, const SeenImages& seen,
                    std::int64_t classes) {
  const std::string& name = options.architecture;
  if (name.starts_with(cifar_prefix))
    return cifar_resnet(depth_after(cifar_prefix, name), seen.shape, classes);
  for (const std::int64_t depth : {18, 34, 50})
    if (name == fmt::format("resnet-{}", depth))
      return imagenet_resnet(depth, stem, seen.shape, classes);
  if (name != "plain") refuse_architecture(name);
  const auto file = layers_file(options);
  return parse_plan(files::read_json(file), file, seen.shape);
}

const files::TensorEntry* entry_named(const std::vector<files::TensorEntry>& entries,
                                      const std::string& name) {
  const auto found = std::ranges::lower_bound(entries, name, {}, &files::TensorEntry::name);
  return found != entries.end() && found->name == name ? &*found : nullptr;
}

/// "module." where every tensor has it, as torch.nn.DataParallel writes them.
std::string common_prefix(const std::vector<files::TensorEntry>& entries) {
  constexpr std::string_view prefix = "module.";
  const bool all = std::ranges::all_of(
      entries, [&](const files::TensorEntry& entry) { return entry.name.starts_with(prefix); });
  return all && !entries.empty() ? std::string(prefix) : "";
}

struct Seen {
  std::int64_t classes = 0;
  std::int64_t channels = 0;
  Stem stem = Stem::cifar;
};

/// What the first convolution and the last layer of a residual network say.
Seen seen_in(const std::vector<files::TensorEntry>& entries, const std::string& prefix,
             const Seen& otherwise) {
  Seen seen = otherwise;
  for (const char* head : {"linear.weight", "fc.weight"})
    if (const auto* entry = entry_named(entries, prefix + head); entry && entry->shape.size() == 2)
      seen.classes = entry->shape[0];
  if (const auto* first = entry_named(entries, prefix + "conv1.weight");
      first && first->shape.size() == 4) {
    seen.channels = first->shape[1];
    seen.stem = first->shape[2] >= 7 ? Stem::imagenet : Stem::cifar;
  }
  return seen;
}

/// Channels that the first convolution takes; a plan made for other images would not fit anywhere.
void check_channels(std::int64_t channels, const ImageShape& images, const std::string& path) {
  if (channels == 0 || channels == images.channels) return;
  throw InputError(
      fmt::format("the images have {} and the network in {} takes {} (images are {}). Choose "
                  "images or a network "
                  "that fit, or set data.layout to the order of their axes.",
                  counted(images.channels, "channel"), path, channels, shown(images)));
}

void check_classes(const NetworkPlan& plan, const SeenImages& seen) {
  if (seen.classes <= plan.classes) return;
  throw InputError(fmt::format(
      "{} is no class of the network (it has {}, 0 to {}). Use labels of this network, "
      "or a network with more classes.",
      seen.largest_label.empty() ? fmt::format("label {}", seen.classes - 1) : seen.largest_label,
      counted(plan.classes, "class", "classes"), plan.classes - 1));
}

std::vector<std::string> norm_parts() { return {"weight", "bias", "running_mean", "running_var"}; }

/// Gathers what does not fit of a checkpoint.
class ImageTensorCheck {
 public:
  ImageTensorCheck(const std::vector<files::TensorEntry>& entries, std::string prefix)
      : entries_(entries), prefix_(std::move(prefix)) {}

  void visit(const LayerPlan& layer) {
    const std::int64_t channels = layer.outputs.channels;
    if (layer.has_kernel()) {
      kernel(layer);
      if (layer.has_bias) need(layer.name + ".bias", {channels});
    } else if (layer.kind == LayerKind::batch_norm) {
      for (const std::string& part : norm_parts()) need(layer.name + "." + part, {channels});
      used_.insert(prefix_ + layer.name + ".num_batches_tracked");
    } else if (layer.kind == LayerKind::prelu) {
      need(layer.name + ".weight", {layer.slopes});
    }
  }

  void finish(const std::string& file) {
    for (const files::TensorEntry& entry : entries_)
      if (!used_.contains(entry.name))
        faults_.push_back(entry.name + " has no place in the network");
    if (faults_.empty()) return;
    constexpr std::size_t most = 4;
    const std::size_t more = faults_.size() - std::min(most, faults_.size());
    faults_.resize(std::min(most, faults_.size()));
    throw InputError(fmt::format(
        "the checkpoint {} is not of this architecture ({}{}). Set model.architecture, or the file "
        "model.layers, to what the checkpoint was trained as.",
        file, fmt::join(faults_, "; "), more > 0 ? fmt::format("; and {} more", more) : ""));
  }

 private:
  void need(const std::string& name, const std::vector<std::int64_t>& shape) {
    used_.insert(prefix_ + name);
    const auto* entry = entry_named(entries_, prefix_ + name);
    if (!entry)
      faults_.push_back(name + " is missing");
    else if (entry->shape != shape)
      faults_.push_back(fmt::format("{} is {} and not {}", name, fmt::join(entry->shape, " x "),
                                    fmt::join(shape, " x ")));
  }

  /// Dense, or in another form, whose tensors its reader checks.
  void kernel(const LayerPlan& layer) {
    const std::string dense = layer.name + ".weight";
    bool has_form = false;
    if (!entry_named(entries_, prefix_ + dense))
      for (const files::TensorEntry& entry : entries_)
        if (entry.name.starts_with(prefix_ + layer.name + ".") &&
            entry.name != prefix_ + layer.name + ".bias" &&
            entry.name.find('.', (prefix_ + layer.name + ".").size()) == std::string::npos) {
          used_.insert(entry.name);
          has_form = true;
        }
    if (!has_form) need(dense, kernel_shape(layer));
  }

  const std::vector<files::TensorEntry>& entries_;
  std::string prefix_;
  std::set<std::string> used_;
  std::vector<std::string> faults_;
};

}  // namespace

std::vector<std::int64_t> kernel_shape(const LayerPlan& layer) {
  const std::int64_t inputs = layer.inputs.channels / layer.geometry.groups;
  if (layer.kind == LayerKind::linear) return {layer.outputs.channels, inputs};
  return {layer.outputs.channels, inputs, layer.geometry.kernel[0], layer.geometry.kernel[1]};
}

void check_image_tensors(const NetworkPlan& plan, const std::string& prefix,
                         const std::vector<files::TensorEntry>& entries, const std::string& file) {
  ImageTensorCheck check(entries, prefix);
  plan.for_each([&](const LayerPlan& layer) { check.visit(layer); });
  check.finish(file);
}

ImageModel prepare_image_model(const ModelOptions& options, const SeenImages& seen) {
  const std::int64_t classes = options.classes > 0 ? options.classes : seen.classes;
  if (options.path.empty()) {
    ImageModel model{plan_of(options, options.stem, seen, classes), ""};
    check_classes(model.plan, seen);
    return model;
  }
  const auto layout = files::read_layout(options.path);
  const std::string prefix = common_prefix(layout.tensors);
  const Seen found = seen_in(layout.tensors, prefix, {.classes = classes, .stem = options.stem});
  if (options.architecture != "plain") check_channels(found.channels, seen.shape, options.path);
  ImageModel model{plan_of(options, found.stem, seen, found.classes), options.path, prefix};
  check_image_tensors(model.plan, prefix, layout.tensors, options.path);
  check_classes(model.plan, seen);
  return model;
}

}  // namespace rankine::models
