#include "models/export/image_export.hpp"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "core/log.hpp"
#include "core/profile.hpp"
#include "core/version.hpp"
#include "files/output_file.hpp"
#include "files/safetensors/safetensors.hpp"
#include "models/export/companion_files.hpp"
#include "models/export/image_module_file.hpp"
#include "models/image/image_checkpoint.hpp"
#include "parallel/agreement.hpp"
#include "weights/storage/parameter.hpp"

namespace rankine::models {

using files::TensorPlan;
using torch::Tensor;
using weights::Parameter;

namespace {

/// A tensor that is written, whole on every rank.
struct Written {
  std::string name;
  std::vector<std::int64_t> shape;
  Tensor values;
};

/// The tensors of a checkpoint, in the order of the layers.
class TensorList {
 public:
  TensorList(const ImageNetwork& network, ExportFormat format) : format_(format) {
    for (const Slot* slot : network.slots()) slots_[slot->name()] = slot;
    for (const BatchNorm* norm : network.norms()) norms_[norm->name()] = norm;
    for (const Parameter& parameter : network.parameters())
      others_[parameter.name] = parameter.values;
    network.plan().for_each([&](const LayerPlan& layer) { visit(layer); });
  }
  const std::vector<Written>& tensors() const { return tensors_; }

 private:
  void visit(const LayerPlan& layer) {
    if (layer.has_kernel()) {
      kernel(layer, *slots_.at(layer.name));
    } else if (layer.kind == LayerKind::batch_norm) {
      const NormTensors& norm = norms_.at(layer.name)->tensors();
      for (const auto& [part, values] : {std::pair{"weight", norm.weight},
                                         {"bias", norm.bias},
                                         {"running_mean", norm.mean},
                                         {"running_var", norm.variance}})
        add(layer.name + "." + part, values);
    } else if (layer.kind == LayerKind::prelu) {
      add(layer.name + ".weight", others_.at(layer.name + ".weight"));
    }
  }

  void kernel(const LayerPlan& layer, const Slot& slot) {
    const bool is_dense =
        format_ == ExportFormat::dense || slot.weight()->form() == weights::Form::dense;
    if (is_dense)
      tensors_.push_back({layer.name + ".weight", kernel_shape(layer), slot.weight()->own_rows()});
    else
      for (const Parameter& parameter : slot.weight()->parameters())
        add(layer.name + "." + parameter.name, parameter.values);
    if (slot.own_bias().defined()) add(layer.name + ".bias", slot.own_bias());
  }

  void add(const std::string& name, const Tensor& values) {
    tensors_.push_back({name, values.sizes().vec(), values});
  }

  ExportFormat format_;
  std::map<std::string, const Slot*> slots_;
  std::map<std::string, const BatchNorm*> norms_;
  std::map<std::string, Tensor> others_;
  std::vector<Written> tensors_;
};

std::string network_text(const ImageNetwork& network, const ImageExport& wanted) {
  nlohmann::json json = to_json(network.plan());
  json["mean"] = wanted.normalisation.mean;
  json["std"] = wanted.normalisation.std;
  json["method"] = wanted.method;
  json["program_version"] = program_version();
  for (const Slot* slot : network.slots())
    json["forms"][slot->name()] =
        wanted.format == ExportFormat::dense ? "dense" : name(slot->weight()->form());
  return json.dump(1) + "\n";
}

}  // namespace

void write_image_network(const ImageNetwork& network, const parallel::Communicator& world,
                         const ImageExport& wanted) {
  const ProfileStage stage("export");
  const torch::NoGradGuard no_gradients;
  const TensorList list(network, wanted.format);
  const auto type = network.number_type() == torch::kFloat64 ? files::DataType::float64
                                                             : files::DataType::float32;
  std::vector<TensorPlan> plan;
  for (const Written& tensor : list.tensors()) plan.push_back({tensor.name, type, tensor.shape});
  files::SafetensorsWriter writer(world, wanted.folder, std::move(plan));
  parallel::agree_on_failure(world, [&] {
    if (world.rank() != 0) return;
    for (const Written& tensor : list.tensors())
      weights::write_parameter(writer, tensor.name, {.name = tensor.name, .values = tensor.values},
                               0);
  });
  writer.complete();
  parallel::agree_on_failure(world, [&] {
    if (world.rank() != 0) return;
    write_text(wanted.folder / network_file_name, network_text(network, wanted));
    write_text(wanted.folder / image_module_file_name, image_module_source());
  });
  log().info("network in {}", name_of(wanted.folder));
}

}  // namespace rankine::models
