// Teachers and students whose slices are trained, for tests of distillation over ranks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../models/image_testing.hpp"
#include "../models/tiny_folder.hpp"
#include "distill/samples.hpp"
#include "distill/slices.hpp"
#include "models/image/image_batch.hpp"
#include "models/image/image_network_reader.hpp"
#include "models/language/language_model.hpp"
#include "weights/forms/low_rank.hpp"
#include "weights/forms/tucker.hpp"
#include "weights/rows/gather_rows.hpp"

namespace rankine::distill {

/// The first left singular vectors of a matrix.
inline torch::Tensor leading(const torch::Tensor& matrix, std::int64_t rank) {
  return std::get<0>(at::linalg_svd(matrix, false)).narrow(1, 0, rank);
}

/// The kernel in a slot becomes its projection on so many channels.
inline void put_tucker(models::ImageNetwork& network, const std::string& slot,
                       const std::vector<std::int64_t>& shape, std::int64_t of_outputs,
                       std::int64_t of_inputs) {
  const torch::Tensor stored = weight_of(network, slot)->own_rows().detach();
  const torch::Tensor kernel = stored.to(torch::kFloat64).view(shape);
  const torch::Tensor u = leading(kernel.flatten(1), of_outputs);
  const torch::Tensor v = leading(kernel.transpose(0, 1).flatten(1), of_inputs);
  network.replace_weight(
      slot, weights::make_tucker(network.team(), weights::RowSplit::even(shape[0], 1),
                                 {.core = at::einsum("oihw,oa,ib->abhw", {kernel, u, v}),
                                  .output = u,
                                  .input = v,
                                  .height = {},
                                  .width = {}},
                                 stored.scalar_type()));
}

/// The weight in a slot becomes one of low rank, a little smaller than the best: there the gradient
/// of a factor is rounding alone, which AdamW blows up. Collective over the team of the network.
inline void put_low_rank(models::Network& network, const std::string& slot, std::int64_t rank) {
  const auto weight = weight_of(network, slot);
  const parallel::Communicator& team = network.team();
  const auto stored = weight->own_rows().detach();
  const torch::Tensor whole =
      weights::gather_rows(team, stored, weight->split()).to(torch::kFloat64);
  const torch::Tensor u = leading(whole, rank);
  const auto rows = weights::range_of(weight->split(), team.rank());
  const auto inner = weights::range_of(weights::RowSplit::even(rank, team.size()), team.rank());
  network.replace_weight(
      slot, weights::make_low_rank(team, weight->split(), u.narrow(0, rows.first, rows.count),
                                   (0.9 * u.t().mm(whole)).narrow(0, inner.first, inner.count),
                                   stored.scalar_type()));
}

/// Three slices of a small image network: a convolution, a residual block, a linear layer.
struct ImageCase {
  models::ImageNetwork teacher, student;
  models::ImageSet images;
  Samples samples;
  std::vector<Slice> slices{
      {"conv1", 0, 1, {"conv1"}}, {"block", 1, 2, {"conv2"}}, {"fc", 3, 4, {"fc"}}};

  ImageCase(std::int64_t count, models::Precision precision)
      : teacher(drawn(precision)),
        student(drawn(precision)),
        images(models::striped_images(count)) {
    put_tucker(student, "conv1", {4, 2, 3, 3}, 2, 2);
    put_tucker(student, "conv2", {6, 4, 3, 3}, 3, 2);
    put_low_rank(student, "fc", 2);
    samples = {count, Sharing::dealt, [this](std::span<const std::int64_t> numbers) {
                 return models::make_batch(images, numbers, teacher.number_type()).inputs;
               }};
  }
  ImageCase(const ImageCase&) = delete;

  std::vector<torch::Tensor> values() const {
    std::vector<torch::Tensor> all;
    for (const weights::Parameter& parameter : student.parameters())
      all.push_back(parameter.values.detach().clone());
    return all;
  }

 private:
  static models::ImageNetwork drawn(models::Precision precision) {
    return models::draw_image_network(models::alone().team(), models::small_plan(), 5, precision);
  }
};

/// Two slices of a language model whose teams are given: the MLPs of its layers.
struct TextCase {
  models::LanguageModel teacher, student;
  Samples samples;
  std::vector<Slice> slices;

  TextCase(const TinyFolder& folder, const TinyModel& model, const parallel::Communicator& team,
           std::int64_t count)
      : teacher(read(folder, team)), student(read(folder, team)) {
    for (const std::size_t layer : {0, 1}) {
      const std::string name = "model.layers." + std::to_string(layer);
      slices.push_back(
          {name, layer + 1, layer + 2, {name + ".mlp.down_proj", name + ".mlp.up_proj"}});
      for (const std::string& slot : slices.back().weights) put_low_rank(student, slot, 1);
    }
    const std::int64_t vocabulary = model.config.vocabulary_size;
    samples = {
        count, Sharing::same, [vocabulary](std::span<const std::int64_t> numbers) {
          std::vector<torch::Tensor> windows;
          for (const std::int64_t n : numbers)
            windows.push_back(as_tensor(random_ids(8, vocabulary, static_cast<std::uint64_t>(n))));
          return torch::stack(windows);
        }};
  }
  TextCase(const TextCase&) = delete;

  /// The features behind each stage of the student for some windows.
  torch::Tensor features() const {
    const torch::NoGradGuard no_gradients;
    const std::vector<std::int64_t> numbers{100, 101};
    return pass(student.stages(), samples.sharing, samples.inputs(numbers));
  }

 private:
  static models::LanguageModel read(const TinyFolder& folder, const parallel::Communicator& team) {
    return models::LanguageModel::read(world(), team, folder.path(), models::Precision::float64);
  }
};

}  // namespace rankine::distill
