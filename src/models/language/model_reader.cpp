// Builds a LanguageModel from a checkpoint: every rank reads its rows of every weight.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>

#include "core/errors.hpp"
#include "core/profile.hpp"
#include "files/safetensors/safetensors.hpp"
#include "models/checkpoint/checkpoint_names.hpp"
#include "models/language/language_model.hpp"
#include "parallel/agreement.hpp"
#include "weights/forms/dense.hpp"
#include "weights/forms/read_form.hpp"
#include "weights/rows/element_type.hpp"

namespace rankine::models {

using parallel::Communicator;
using torch::Tensor;
using weights::Dense;
using weights::RowSplit;

/// Reading is local, so each step is followed by an agreement of the world; the exchange that
/// transposes GPT-2's weights is collective over the team.
class ModelReader {
 public:
  ModelReader(const Communicator& world, const Communicator& team,
              const std::filesystem::path& folder, Precision precision)
      : world_(world),
        team_(team),
        type_(precision == Precision::float64 ? torch::kFloat64 : torch::kFloat32),
        config_(parallel::agree_on_failure(world, [&] { return read_config(folder); })),
        file_(world, folder),
        names_(find_names(config_, file_.entries())),
        manifest_(parallel::agree_on_failure(world, [&] { return read_manifest(folder); })) {
    parallel::agree_on_failure(world,
                               [&] { check_tensors(config_, names_, file_.entries(), manifest_); });
    for (const LayerWeight& weight : layer_weights(config_, names_))
      activations_[weight.name] = weight.activation;
    if (manifest_ && manifest_->checksums)
      files::verify_tensors(world, folder, *manifest_->checksums, manifest_file_name);
  }

  LanguageModel read() {
    LanguageModel model;
    model.config_ = std::make_unique<const ModelConfig>(config_);
    model.team_ = &team_;
    const RowSplit vocabulary = RowSplit::even(config_.vocabulary_size, team_.size());
    model.embedding_ = Slot(names_.embedding, dense(names_.embedding, config_.width, vocabulary));
    if (config_.has_tied_head) check_tied_head(model.embedding_.weight()->own_rows());
    if (config_.family == Family::gpt2)
      model.positions_ = whole(names_.positions + ".weight", {config_.context, config_.width});
    for (std::int64_t layer = 0; layer < config_.layers; ++layer)
      model.layers_.push_back(config_.family == Family::gpt2 ? gpt2_layer(layer)
                                                             : llama_layer(layer));
    model.last_norm_ = norm(names_.last_norm);
    model.head_ =
        Slot(names_.head, config_.has_tied_head ? model.embedding_.weight()
                                                : dense(names_.head, config_.width, vocabulary));
    model.bytes_read_ = file_.bytes_read();
    return model;
  }

 private:
  RowSplit even(std::int64_t rows) const { return RowSplit::even(rows, team_.size()); }

  /// A tied model may have its output weight in the file too, which then is the embedding.
  void check_tied_head(const Tensor& own_rows) {
    const std::string head = names_.head + ".weight";
    if (!file_.find(head)) return;
    parallel::agree_on_failure(world_, [&] {
      constexpr std::int64_t piece = 1024;
      const std::int64_t first = even(config_.vocabulary_size).first(team_.rank());
      for (std::int64_t done = 0; done < own_rows.size(0); done += piece) {
        const std::int64_t count = std::min(piece, own_rows.size(0) - done);
        const Tensor rows = weights::read_checked_rows(
            file_, head, {config_.vocabulary_size, config_.width}, first + done, count, type_);
        if (!torch::equal(rows, own_rows.narrow(0, done, count)))
          throw InputError(fmt::format(
              "the tensor {} differs from {}.weight (config.json says tie_word_embeddings: they "
              "are one). Set it to false in config.json if the checkpoint is meant so.",
              head, names_.embedding));
      }
    });
  }

  TransformerLayer llama_layer(std::int64_t layer) {
    const HeadPlan plan(config_, team_.size());
    const auto name = [&](const std::string& part) { return names_.in_layer(layer, part); };
    const std::int64_t width = config_.width;
    TransformerLayer result;
    result.name = names_.of_layer(layer);
    result.attention_norm = norm(name(names_.first_norm));
    result.query = slot(name(names_.query), width, plan.queries);
    result.key = slot(name(names_.key), width, plan.keys);
    result.value = slot(name(names_.value), width, plan.keys);
    result.attention_output =
        slot(name(names_.attention_output), plan.queries.total(), even(width));
    result.mlp_norm = norm(name(names_.second_norm));
    result.gate = slot(name(names_.gate), width, even(config_.hidden));
    result.up = slot(name(names_.up), width, even(config_.hidden));
    result.down = slot(name(names_.down), config_.hidden, even(width));
    return result;
  }

  TransformerLayer gpt2_layer(std::int64_t layer) {
    const HeadPlan plan(config_, team_.size());
    const auto name = [&](const std::string& part) { return names_.in_layer(layer, part); };
    const std::int64_t width = config_.width;
    TransformerLayer result;
    result.name = names_.of_layer(layer);
    result.attention_norm = norm(name(names_.first_norm));
    auto joint =
        transposed(name(names_.joint_attention), width, {plan.queries, plan.keys, plan.keys});
    result.query = std::move(joint[0]);
    result.key = std::move(joint[1]);
    result.value = std::move(joint[2]);
    result.attention_output =
        std::move(transposed(name(names_.attention_output), width, {even(width)})[0]);
    result.mlp_norm = norm(name(names_.second_norm));
    result.up = std::move(transposed(name(names_.up), width, {even(config_.hidden)})[0]);
    result.down = std::move(transposed(name(names_.down), config_.hidden, {even(width)})[0]);
    return result;
  }

  /// Of a layer.
  Slot slot(const std::string& name, std::int64_t inputs, const RowSplit& split) {
    return in_slot(name, manifest_ ? stored(name, inputs, split) : dense(name, inputs, split));
  }

  Slot in_slot(const std::string& name, std::shared_ptr<weights::Weight> weight,
               Tensor own_bias = {}) const {
    return {name, std::move(weight), std::move(own_bias), activations_.at(name)};
  }

  /// In the form that the manifest says it has.
  std::shared_ptr<weights::Weight> stored(const std::string& name, std::int64_t inputs,
                                          const RowSplit& split) {
    const StoredForm expected = manifest_->form_of(name);
    return parallel::agree_on_failure(world_, [&] {
      std::shared_ptr<weights::Weight> weight =
          weights::read_form(team_, {file_, name, inputs, split, type_,
                                     /*is_exact=*/expected.storage == weights::Storage::exact});
      require_as_listed(name, *weight, expected);
      return weight;
    });
  }

  void require_as_listed(const std::string& name, const weights::Weight& weight,
                         const StoredForm& expected) const {
    // A factorised folder has no rank of dense weights, and older ones say nothing of rounding.
    if (!manifest_->weights.contains(name)) return;
    if (weight.form() != expected.form || weight.storage() != expected.storage)
      throw InputError(fmt::format(
          "the weight {} is stored as {} ({}) ({} says {} ({})). Write the "
          "compressed model anew.",
          name, weights::name(weight.form()), weights::name(weight.storage()), manifest_->file,
          weights::name(expected.form), weights::name(expected.storage)));
    if (const std::int64_t rank = weight.kept_rank(); rank != expected.rank)
      throw InputError(
          fmt::format("the weight {} has rank {} ({} says {}). Write the compressed model anew.",
                      name, rank, manifest_->file, expected.rank));
  }

  std::shared_ptr<weights::Weight> dense(const std::string& name, std::int64_t inputs,
                                         const RowSplit& split) {
    return parallel::agree_on_failure(world_, [&] {
      return std::shared_ptr<weights::Weight>(
          Dense::read(team_, {file_, name, inputs, split, type_}));
    });
  }

  /// All of a small tensor, on every rank.
  Tensor whole(const std::string& tensor, const std::vector<std::int64_t>& shape) {
    return parallel::agree_on_failure(world_, [&] {
      return weights::read_checked_rows(file_, tensor, shape, 0, shape[0], type_);
    });
  }

  Norm norm(const std::string& name) {
    Norm result{name, config_.norm_epsilon, whole(name + ".weight", {config_.width})};
    if (config_.family == Family::gpt2) result.bias = whole(name + ".bias", {config_.width});
    return result;
  }

  /// A tensor stored inputs x outputs, the outputs being the rows of several weights. Each rank
  /// reads an equal share of the file's rows and passes it round; each takes the columns it owns.
  std::vector<Slot> transposed(const std::string& name, std::int64_t inputs,
                               const std::vector<RowSplit>& parts) {
    std::int64_t outputs = 0;
    for (const RowSplit& part : parts) outputs += part.total();
    if (manifest_) return in_stored_forms(name, inputs, parts, outputs);
    const RowSplit shares = even(inputs);
    const Tensor share = parallel::agree_on_failure(world_, [&] {
      return weights::read_checked_rows(file_, name + ".weight", {inputs, outputs},
                                        shares.first(team_.rank()), shares.count(team_.rank()),
                                        type_);
    });
    std::vector<Tensor> own;
    for (const RowSplit& part : parts)
      own.push_back(torch::empty({part.count(team_.rank()), inputs}, type_));
    for (int root = 0; root < team_.size(); ++root) {
      const Tensor passing =
          root == team_.rank() ? share : torch::empty({shares.count(root), outputs}, type_);
      broadcast(passing, root);
      take_columns(passing, shares.first(root), parts, own);
    }
    std::vector<std::shared_ptr<weights::Weight>> weights;
    for (std::size_t part = 0; part < parts.size(); ++part)
      weights.push_back(std::make_shared<Dense>(team_, parts[part], own[part]));
    return with_biases(name, parts, weights, whole(name + ".bias", {outputs}));
  }

  /// The same from a native folder, where each part is a weight of its own.
  std::vector<Slot> in_stored_forms(const std::string& name, std::int64_t inputs,
                                    const std::vector<RowSplit>& parts, std::int64_t outputs) {
    std::vector<std::shared_ptr<weights::Weight>> weights;
    for (std::size_t part = 0; part < parts.size(); ++part)
      weights.push_back(
          stored(parts.size() == 1 ? name : name + joint_parts[part], inputs, parts[part]));
    return with_biases(name, parts, weights, whole(name + ".bias", {outputs}));
  }

  void broadcast(const Tensor& values, int root) const {
    weights::with_element_type(values, [&]<class T>(T) {
      team_.broadcast(std::span(values.data_ptr<T>(), static_cast<std::size_t>(values.numel())),
                      root);
    });
  }

  void take_columns(const Tensor& rows, std::int64_t first_input,
                    const std::vector<RowSplit>& parts, std::vector<Tensor>& own) const {
    std::int64_t begin = 0;
    for (std::size_t part = 0; part < parts.size(); ++part) {
      own[part]
          .narrow(1, first_input, rows.size(0))
          .copy_(rows.narrow(1, begin + parts[part].first(team_.rank()),
                             parts[part].count(team_.rank()))
                     .t());
      begin += parts[part].total();
    }
  }

  std::vector<Slot> with_biases(const std::string& name, const std::vector<RowSplit>& parts,
                                const std::vector<std::shared_ptr<weights::Weight>>& weights,
                                const Tensor& bias) const {
    std::vector<Slot> slots;
    std::int64_t begin = 0;
    for (std::size_t part = 0; part < parts.size(); ++part) {
      const RowSplit& split = parts[part];
      slots.push_back(in_slot(
          parts.size() == 1 ? name : name + joint_parts[part], weights[part],
          bias.narrow(0, begin + split.first(team_.rank()), split.count(team_.rank())).clone()));
      begin += split.total();
    }
    return slots;
  }

  const Communicator& world_;
  const Communicator& team_;
  torch::ScalarType type_;
  ModelConfig config_;
  files::SafetensorsReader file_;
  CheckpointNames names_;
  std::map<std::string, std::int64_t> activations_;  ///< that the weights of the layers read
  std::optional<Manifest> manifest_;                 ///< of a compressed model in native form
};

LanguageModel LanguageModel::read(const Communicator& world, const Communicator& team,
                                  const std::filesystem::path& folder, Precision precision) {
  const ProfileStage stage("read model", Flops::counted);
  return ModelReader(world, team, folder, precision).read();
}

}  // namespace rankine::models
