#include "models/language/adapter_reader.hpp"

#include <fmt/format.h>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/profile.hpp"
#include "core/text_format.hpp"
#include "models/checkpoint/peft_adapter.hpp"
#include "parallel/agreement.hpp"
#include "weights/forms/dense.hpp"
#include "weights/forms/rotated.hpp"
#include "weights/forms/updated.hpp"
#include "weights/rotations/cayley.hpp"

namespace rankine::models {

using torch::Tensor;
using weights::BlockGenerator;
using weights::Weight;

namespace {

/// PEFT's series for R in `terms` terms: 1 + 2 Q + 2 Q^2 + ... with the last power once, where
/// there are more than two; 3 terms are the same as 4.
Tensor series_of(const Tensor& q, std::int64_t terms) {
  Tensor r = torch::eye(q.size(1), q.options()).expand_as(q).clone();
  if (terms > 1) r += 2 * q;
  if (terms <= 2) return r;
  Tensor power = torch::bmm(q, q);
  r += 2 * power;
  for (std::int64_t term = 3; term < terms - 1; ++term) {
    power = torch::bmm(power, q);
    r += 2 * power;
  }
  return r + torch::bmm(power, q);
}

/// The layer that does what PEFT does, x' = x R in rows: x' = R^T x in columns.
weights::RotationLayer rotation_layer(const PeftConfig& config, Tensor numbers, std::int64_t width,
                                      torch::ScalarType type) {
  const std::int64_t size = config.block > 0 ? config.block : width / config.blocks;
  if (config.has_one_block) numbers = numbers.expand({width / size, numbers.size(1)});
  weights::RotationLayer layer{.layout = {width, size, 1}, .generators = {}};
  if (config.series_terms) {
    layer.generator = BlockGenerator::free;
    const Tensor r =
        series_of(weights::skew_matrices(numbers.to(torch::kFloat64), size), *config.series_terms);
    numbers = (r - torch::eye(size, r.options())).transpose(1, 2).reshape({-1, size * size});
  } else {
    numbers = -numbers;  // R^T is that of -Q
  }
  layer.generators = numbers.to(type).clone(at::MemoryFormat::Contiguous);
  return layer;
}

class AdapterReader {
 public:
  AdapterReader(const LanguageModel& model, const parallel::Communicator& world,
                const std::filesystem::path& folder)
      : model_(model),
        folder_(folder),
        config_(parallel::agree_on_failure(world, [&] { return read_peft_config(folder); })),
        file_(world, folder / peft_tensors_name) {}

  std::vector<std::string> weights() const {
    LayerShapes shapes;
    for (const Slot* slot : model_.slots())
      shapes[slot->name()] = {slot->weight()->outputs(), slot->weight()->inputs()};
    return adapted_weights(config_, shapes, file_.entries(), folder_);
  }

  std::shared_ptr<Weight> adapted(const std::string& name) const {
    const std::shared_ptr<Weight> base = weight_of(model_, name);
    if (base->base())
      throw InputError(fmt::format(
          "{} has an adapter already, to which that of '{}' cannot be added (there is one at "
          "most). Materialise the model first.",
          name, folder_.string()));
    return config_.method == PeftMethod::oft ? rotated(name, base) : updated(name, base);
  }

 private:
  std::shared_ptr<Weight> rotated(const std::string& name, std::shared_ptr<Weight> base) const {
    const Tensor numbers = rows(name, oft_part, 0, at(name, oft_part).shape[0], base);
    weights::Rotation rotation(
        {rotation_layer(config_, numbers, base->inputs(), numbers.scalar_type())});
    return std::make_shared<weights::Rotated>(std::move(base), std::move(rotation),
                                              weights::Rotation());
  }

  std::shared_ptr<Weight> updated(const std::string& name, std::shared_ptr<Weight> base) const {
    const std::int64_t rank = at(name, lora_right_part).shape[0];
    const int own = model_.team().rank();
    const Tensor right = rows(name, lora_right_part, 0, rank, base);
    const Tensor left =
        rows(name, lora_left_part, base->split().first(own), base->split().count(own), base);
    return std::make_shared<weights::Updated>(std::move(base), left * config_.scale(rank), right);
  }

  const files::TensorEntry& at(const std::string& name, std::string_view part) const {
    return file_.at(fmt::format("{}{}{}", peft_prefix, name, part));
  }

  /// In the type of the weight.
  Tensor rows(const std::string& name, std::string_view part, std::int64_t first,
              std::int64_t count, const std::shared_ptr<Weight>& weight) const {
    const files::TensorEntry& entry = at(name, part);
    return weights::read_checked_rows(file_, entry.name, entry.shape, first, count,
                                      weight->parameters()[0].values.scalar_type());
  }

  const LanguageModel& model_;
  const std::filesystem::path& folder_;
  PeftConfig config_;
  files::SafetensorsReader file_;
};

}  // namespace

void apply_adapter(LanguageModel& model, const parallel::Communicator& world,
                   const std::filesystem::path& folder) {
  const ProfileStage stage("read model", Flops::counted);
  const AdapterReader reader(model, world, folder);
  const torch::NoGradGuard no_gradients;
  const auto names = parallel::agree_on_failure(world, [&] { return reader.weights(); });
  for (const std::string& name : names)
    model.replace_weight(name,
                         parallel::agree_on_failure(world, [&] { return reader.adapted(name); }));
  log().info("adapter '{}' on {}", folder.string(), counted(std::ssize(names), "weight"));
}

LanguageModel read_language_model(const parallel::Communicator& world,
                                  const parallel::Communicator& team, const ModelOptions& options) {
  LanguageModel model = LanguageModel::read(world, team, options.path, options.precision);
  for (const std::string& notice : model.config().notices) log().info("{}", notice);
  if (!options.adapter.empty()) {
    apply_adapter(model, world, options.adapter);
  } else if (const std::string notice = notice_of_adapter(options.path); !notice.empty()) {
    log().info("{}", notice);
  }
  return model;
}

}  // namespace rankine::models
