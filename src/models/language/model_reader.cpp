// Builds a LanguageModel from a checkpoint: every rank reads its rows of every weight.
#include <fmt/format.h>

#include <algorithm>
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
        manifest_(parallel::agree_on_failure(world, [&] { return read_manifest(folder); })),
        plan_(config_, team.size()) {
    parallel::agree_on_failure(world,
                               [&] { check_tensors(config_, names_, file_.entries(), manifest_); });
    if (manifest_ && manifest_->checksums)
      files::verify_tensors(world, folder, *manifest_->checksums, manifest_file_name);
  }

  LanguageModel read() {
    LanguageModel model;
    model.config_ = std::make_unique<const ModelConfig>(config_);
    model.team_ = &team_;
    for (const LayerWeight& weight : vocabulary_weights(config_, names_)) {
      Slot slot(weight.name, of_vocabulary(weight), {}, weight.activation);
      const bool is_output = weight.part == Part::head && !config_.has_tied_head;
      (is_output ? model.head_ : model.embedding_) = std::move(slot);
    }
    if (config_.has_tied_head) check_tied_head(*model.embedding_.weight());
    if (!names_.positions.empty())
      model.positions_ = whole(names_.positions + ".weight", {config_.context, config_.width});
    const std::vector<LayerWeight> weights = layer_weights(config_, names_);
    const std::size_t per_layer = weights.size() / static_cast<std::size_t>(config_.layers);
    for (std::size_t first = 0; first < weights.size(); first += per_layer)
      model.layers_.push_back(
          layer(weights[first].layer, std::span(weights).subspan(first, per_layer)));
    model.last_norm_ = norm(names_.last_norm, config_.width);
    model.bytes_read_ = file_.bytes_read();
    return model;
  }

 private:
  RowSplit even(std::int64_t rows) const { return RowSplit::even(rows, team_.size()); }

  /// A tied model may have its output weight in the file too, which then is the embedding.
  void check_tied_head(const weights::Weight& embedding) {
    const std::string head = names_.head + ".weight";
    if (!file_.find(head)) return;
    const Tensor own_rows = embedding.own_rows();
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

  /// `weights` are those of the layer.
  TransformerLayer layer(std::int64_t index, std::span<const LayerWeight> weights) {
    const auto norm_of = [&](const std::string& name, std::int64_t size) {
      return name.empty() ? Norm() : norm(names_.in_layer(index, name), size);
    };
    TransformerLayer result;
    result.name = names_.of_layer(index);
    result.index = index;
    result.attention_norm = norm_of(names_.first_norm, config_.width);
    result.query_norm = norm_of(names_.query_norm, config_.head_size);
    result.key_norm = norm_of(names_.key_norm, config_.head_size);
    result.attention_output_norm = norm_of(names_.attention_output_norm, config_.width);
    result.mlp_norm = norm_of(names_.second_norm, config_.width);
    result.mlp_output_norm = norm_of(names_.mlp_output_norm, config_.width);
    while (!weights.empty()) {
      std::size_t count = 1;  // of those that share a tensor
      while (count < weights.size() && weights[count].module == weights[0].module) ++count;
      read_module(weights.first(count), result);
      weights = weights.subspan(count);
    }
    return result;
  }

  RowSplit split_of(const LayerWeight& weight) const {
    if (weight.part == Part::query) return plan_.queries;
    if (weight.part == Part::key || weight.part == Part::value) return plan_.keys;
    return even(weight.outputs);
  }

  /// The weights that share a tensor, into their slots.
  void read_module(std::span<const LayerWeight> weights, TransformerLayer& layer) {
    std::vector<std::shared_ptr<weights::Weight>> read;
    // In a factorised folder weights that share a tensor are dense.
    if (manifest_ && (manifest_->is_native() || manifest_->weights.contains(weights[0].name)))
      for (const LayerWeight& weight : weights)
        read.push_back(stored(weight.name, weight.inputs, split_of(weight)));
    else if (weights[0].stored == LayerWeight::Stored::columns)
      read = transposed(weights);
    else
      for (const LayerWeight& weight : weights)
        read.push_back(own_rows(weight, outputs_of(weights)));
    Tensor bias;
    if (weights[0].has_bias) bias = whole(weights[0].bias(), {outputs_of(weights)});
    for (std::size_t w = 0; w < weights.size(); ++w)
      layer.at(weights[w].part) = Slot(weights[w].name, std::move(read[w]),
                                       own_bias(bias, weights[w]), weights[w].activation);
  }

  static std::int64_t outputs_of(std::span<const LayerWeight> weights) {
    std::int64_t sum = 0;
    for (const LayerWeight& weight : weights) sum += weight.outputs;
    return sum;
  }

  Tensor own_bias(const Tensor& bias, const LayerWeight& weight) const {
    if (!bias.defined()) return {};
    const RowSplit split = split_of(weight);
    std::vector<std::int64_t> places;
    for (std::int64_t row = 0; row < split.count(team_.rank()); ++row)
      places.push_back(weight.place(split.first(team_.rank()) + row));
    return bias.index_select(0, torch::tensor(places, torch::kInt64));
  }

  /// This rank's rows of a weight in a tensor with so many, which are read in runs.
  std::shared_ptr<weights::Weight> own_rows(const LayerWeight& weight, std::int64_t all) {
    const RowSplit split = split_of(weight);
    return parallel::agree_on_failure(world_, [&] {
      const std::int64_t end = split.first(team_.rank()) + split.count(team_.rank());
      std::vector<Tensor> runs;
      for (std::int64_t row = split.first(team_.rank()); row < end || runs.empty();) {
        const std::int64_t count = std::min(end - row, weight.piece - row % weight.piece);
        runs.push_back(weights::read_checked_rows(file_, weight.tensor(), {all, weight.inputs},
                                                  count > 0 ? weight.place(row) : 0, count, type_));
        row += count;
      }
      const Tensor rows = runs.size() == 1 ? runs[0] : torch::cat(runs, 0);
      return std::shared_ptr<weights::Weight>(std::make_shared<Dense>(team_, split, rows));
    });
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

  /// Dense, unless a manifest says otherwise.
  std::shared_ptr<weights::Weight> of_vocabulary(const LayerWeight& weight) {
    const RowSplit split = even(weight.outputs);
    if (manifest_ && manifest_->weights.contains(weight.name))
      return stored(weight.name, weight.inputs, split);
    return parallel::agree_on_failure(world_, [&] {
      return std::shared_ptr<weights::Weight>(
          Dense::read(team_, {file_, weight.name, weight.inputs, split, type_}));
    });
  }

  /// All of a small tensor, on every rank.
  Tensor whole(const std::string& tensor, const std::vector<std::int64_t>& shape) {
    return parallel::agree_on_failure(world_, [&] {
      return weights::read_checked_rows(file_, tensor, shape, 0, shape[0], type_);
    });
  }

  Norm norm(const std::string& name, std::int64_t size) {
    Norm result{name, config_.architecture->norm, config_.norm_epsilon,
                whole(name + ".weight", {size})};
    if (result.kind == NormKind::layer) result.bias = whole(name + ".bias", {size});
    return result;
  }

  /// Weights that share a tensor stored inputs x outputs. Each rank reads an equal share of the
  /// file's rows and passes it round; each takes the columns it owns.
  std::vector<std::shared_ptr<weights::Weight>> transposed(std::span<const LayerWeight> weights) {
    const std::int64_t inputs = weights[0].inputs, outputs = outputs_of(weights);
    const RowSplit shares = even(inputs);
    const Tensor share = parallel::agree_on_failure(world_, [&] {
      return weights::read_checked_rows(file_, weights[0].tensor(), {inputs, outputs},
                                        shares.first(team_.rank()), shares.count(team_.rank()),
                                        type_);
    });
    std::vector<Tensor> own;
    for (const LayerWeight& weight : weights)
      own.push_back(torch::empty({split_of(weight).count(team_.rank()), inputs}, type_));
    for (int root = 0; root < team_.size(); ++root) {
      const Tensor passing =
          root == team_.rank() ? share : torch::empty({shares.count(root), outputs}, type_);
      broadcast(passing, root);
      take_columns(passing, shares.first(root), weights, own);
    }
    std::vector<std::shared_ptr<weights::Weight>> read;
    for (std::size_t w = 0; w < weights.size(); ++w)
      read.push_back(std::make_shared<Dense>(team_, split_of(weights[w]), own[w]));
    return read;
  }

  void broadcast(const Tensor& values, int root) const {
    weights::with_element_type(values, [&]<class T>(T) {
      team_.broadcast(std::span(values.data_ptr<T>(), static_cast<std::size_t>(values.numel())),
                      root);
    });
  }

  void take_columns(const Tensor& rows, std::int64_t first_input,
                    std::span<const LayerWeight> weights, std::vector<Tensor>& own) const {
    for (std::size_t w = 0; w < weights.size(); ++w) {
      const RowSplit split = split_of(weights[w]);
      own[w]
          .narrow(1, first_input, rows.size(0))
          .copy_(
              rows.narrow(1, weights[w].place(split.first(team_.rank())), split.count(team_.rank()))
                  .t());
    }
  }

  const Communicator& world_;
  const Communicator& team_;
  torch::ScalarType type_;
  ModelConfig config_;
  files::SafetensorsReader file_;
  CheckpointNames names_;
  std::optional<Manifest> manifest_;  ///< of a compressed model in native form
  HeadPlan plan_;
};

LanguageModel LanguageModel::read(const Communicator& world, const Communicator& team,
                                  const std::filesystem::path& folder, Precision precision) {
  const ProfileStage stage("read model", Flops::counted);
  return ModelReader(world, team, folder, precision).read();
}

}  // namespace rankine::models
