#include "compress/calibration/moments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>

#include "compress/calibration/counted_gradients.hpp"
#include "core/contracts.hpp"
#include "core/progress.hpp"
#include "linalg/blas.hpp"
#include "parallel/agreement.hpp"
#include "weights/rows/element_type.hpp"
#include "weights/rows/exchange.hpp"
#include "weights/rows/row_exchange.hpp"
#include "weights/rows/single_threaded_blas.hpp"
#include "weights/storage/tensor_folder.hpp"

namespace rankine::compress {

using models::Batch;
using models::Network;
using models::Observation;
using models::Stage;
using parallel::Communicator;
using parallel::Teams;
using torch::Tensor;
using weights::RowRange;
using weights::RowSplit;

namespace {

constexpr std::int64_t rows_per_block = 128;

/// Rows [first, first + count) and columns [0, first + count) of x^T x, column-major with as many
/// rows as columns asked for.
template <class T>
void multiply_block(const T* x, std::int64_t tokens, std::int64_t n, std::int64_t first,
                    std::int64_t count, std::vector<T>& product) {
  product.resize(static_cast<std::size_t>(count * (first + count)));
  linalg::gemm<T>(linalg::Op::none, linalg::Op::transpose, T(1), {x, first + count, tokens, n},
                  {x + first, count, tokens, n}, T(0),
                  {product.data(), first + count, count, first + count});
}

template <class T, class Sum>
void add_products(const T* x, std::int64_t tokens, std::int64_t n, std::int64_t begin,
                  std::int64_t end, Sum* rows) {
  const weights::SingleThreadedBlas guard;
  const std::int64_t blocks = (end - begin + rows_per_block - 1) / rows_per_block;
#pragma omp parallel
  {
    std::vector<T> product;
#pragma omp for schedule(dynamic)
    for (std::int64_t reversed = 0; reversed < blocks; ++reversed) {  // the longest first
      const std::int64_t first = begin + (blocks - 1 - reversed) * rows_per_block;
      const std::int64_t count = std::min(rows_per_block, end - first);
      multiply_block(x, tokens, n, first, count, product);
      for (std::int64_t i = 0; i < count; ++i)
        for (std::int64_t j = 0; j < first + count; ++j)
          rows[(first - begin + i) * n + j] +=
              static_cast<Sum>(product[static_cast<std::size_t>(i * (first + count) + j)]);
    }
  }
}

/// A symmetric matrix from its lower triangle, in place, by blocks of rows: there is never a second
/// whole matrix.
Tensor symmetric(Tensor whole) {
  whole.tril_();
  for (std::int64_t first = 0; first < whole.size(0); first += rows_per_block) {
    const std::int64_t count = std::min(rows_per_block, whole.size(0) - first);
    whole.narrow(0, first, count).add_(whole.narrow(1, first, count).t().triu(first + 1));
  }
  return whole;
}

/// This team's batches, in turn with the others.
std::vector<Batch> own_batches(const std::vector<Batch>& batches, const Teams& teams) {
  std::vector<Batch> own;
  for (auto b = static_cast<std::size_t>(teams.index()); b < batches.size();
       b += static_cast<std::size_t>(teams.count()))
    own.push_back(batches[b]);
  return own;
}

/// In which the teams take all batches, one each at a time.
std::int64_t rounds_of(const std::vector<Batch>& batches, const Teams& teams) {
  return (std::ssize(batches) + teams.count() - 1) / teams.count();
}

/// Of the summed loss of a batch, by whose number random targets are told from others'.
void backward(const Network& network, const Batch& batch, Targets targets, std::size_t number) {
  const Tensor outputs = network.forward(batch.inputs);
  const Tensor wanted =
      targets == Targets::given
          ? batch.targets
          : network.sample_targets(outputs.detach(), batch.targets.size(0), number);
  network.losses(outputs, wanted).sum().backward();
}

/// The first stages, as far as one of the weights `names` is; all before what is outside them.
std::vector<Stage> stages_up_to(const Network& network, const std::vector<std::string>& names) {
  std::vector<Stage> stages = network.stages();
  if (std::ranges::any_of(names, [&](const auto& name) { return network.is_outer(name); }))
    return stages;
  const auto has_one = [&](const Stage& stage) {
    return std::ranges::any_of(stage.slots, [&](const models::Slot* slot) {
      return std::ranges::find(names, slot->name()) != names.end();
    });
  };
  while (!stages.empty() && !has_one(stages.back())) stages.pop_back();
  return stages;
}

/// Moments of zeros, one for each activation that the weights read.
InputMoments empty_moments(const Network& network, const Communicator& team,
                           const std::vector<std::string>& names, MomentPart part) {
  InputMoments result;
  std::map<std::int64_t, std::size_t> known;
  for (const std::string& name : names) {
    const models::Slot& slot = network.slot(name);
    RANKINE_EXPECTS(slot.activation() >= 0, "a slot knows which activation it reads");
    const auto [activation, is_new] = known.try_emplace(slot.activation(), result.moments.size());
    if (is_new) result.moments.emplace_back(team, slot.weight()->inputs(), torch::kFloat64, part);
    result.of_weight.push_back(activation->second);
  }
  return result;
}

std::string moment_name(std::size_t i) { return fmt::format("moment{}", i); }

Output output_of(const Communicator& world) {
  return world.rank() == 0 ? Output::shown : Output::silent;
}

}  // namespace

SecondMoment::SecondMoment(const Communicator& team, std::int64_t n, torch::ScalarType type,
                           MomentPart part)
    : split_(RowSplit::even(n, team.size())),
      rank_(team.rank()),
      part_(part),
      rows_(torch::zeros({split_.count(rank_), part == MomentPart::whole ? n : 1}, type)) {}

void SecondMoment::add(const Tensor& x) {
  const std::int64_t begin = split_.first(rank_), end = begin + split_.count(rank_);
  if (part_ == MomentPart::diagonal) {
    const Tensor own = x.detach().narrow(1, begin, end - begin).to(torch::kFloat64);
    rows_.add_(own.square().sum(0).unsqueeze(1));
    return;
  }
  const Tensor values = x.detach().contiguous();
  weights::with_element_type(values, [&]<class T>(T) {
    weights::with_element_type(rows_, [&]<class Sum>(Sum) {
      add_products(values.data_ptr<T>(), values.size(0), values.size(1), begin, end,
                   rows_.data_ptr<Sum>());
    });
  });
}

Tensor SecondMoment::own_diagonal() const {
  return part_ == MomentPart::diagonal ? rows_.squeeze(1) : rows_.diagonal(split_.first(rank_));
}

Tensor SecondMoment::diagonal(const Communicator& world) const {
  Tensor whole = torch::zeros({size()}, torch::kFloat64);
  whole.narrow(0, split_.first(rank_), split_.count(rank_)).copy_(own_diagonal());
  if (world.size() > 1) weights::sum_in_place(world, {whole});
  return whole;
}

Tensor SecondMoment::assemble_on(const Communicator& world, int owner) const {
  const weights::RowRange wanted{0, world.rank() == owner ? size() : 0};
  const Tensor whole = weights::exchange_rows(world, rows_.to(torch::kFloat64),
                                              weights::range_of(split_, rank_), wanted);
  if (part_ == MomentPart::diagonal) return whole.squeeze(1);
  return wanted.count > 0 ? symmetric(whole) : torch::empty({0, 0}, torch::kFloat64);
}

void SecondMoment::spread(linalg::DistMatrix<double>& target) const {
  RANKINE_EXPECTS(part_ == MomentPart::whole, "a whole moment is spread");
  weights::spread_rows(rows_, weights::range_of(split_, rank_), target);
}

double SecondMoment::mean_diagonal(const Communicator& world) const {
  const double own = own_diagonal().to(torch::kFloat64).sum().item<double>();
  return world.sum(own) / static_cast<double>(size());
}

files::TensorPlan SecondMoment::plan(const std::string& name) const {
  const auto type =
      rows_.scalar_type() == torch::kFloat64 ? files::DataType::float64 : files::DataType::float32;
  return {name, type, {size(), part_ == MomentPart::whole ? size() : 1}};
}

void SecondMoment::write(files::SafetensorsWriter& writer, const std::string& name,
                         const Communicator& world) const {
  const RowRange mine = weights::range_of(RowSplit::even(size(), world.size()), world.rank());
  const Tensor rows = weights::exchange_rows(world, rows_.to(torch::kFloat64),
                                             weights::range_of(split_, rank_), mine);
  parallel::agree_on_failure(world, [&] {
    writer.write_rows(
        name, mine.first,
        std::span<const double>(rows.data_ptr<double>(), static_cast<std::size_t>(rows.numel())));
  });
}

void SecondMoment::add(const files::SafetensorsReader& reader, const files::TensorEntry& tensor) {
  Tensor values = torch::empty_like(rows_, torch::kFloat64);
  reader.read_rows(tensor, split_.first(rank_), split_.count(rank_),
                   std::span(values.data_ptr<double>(), static_cast<std::size_t>(values.numel())));
  rows_.add_(values);
}

void write_moments(const std::vector<SecondMoment>& moments, const Communicator& world,
                   const std::filesystem::path& folder) {
  std::vector<files::TensorPlan> plan;
  for (std::size_t i = 0; i < moments.size(); ++i) plan.push_back(moments[i].plan(moment_name(i)));
  files::SafetensorsWriter writer(world, folder, std::move(plan));
  for (std::size_t i = 0; i < moments.size(); ++i) moments[i].write(writer, moment_name(i), world);
  writer.complete();
}

std::vector<SecondMoment> read_moments(const std::vector<MomentShape>& shapes,
                                       torch::ScalarType type, const Communicator& world,
                                       const Teams& teams, const std::filesystem::path& folder) {
  const files::SafetensorsReader reader(world, folder);
  return parallel::agree_on_failure(world, [&] {
    std::vector<SecondMoment> moments;
    std::vector<files::TensorPlan> plan;
    for (const MomentShape& shape : shapes)
      plan.push_back(moments.emplace_back(teams.team(), shape.size, type, shape.part)
                         .plan(moment_name(plan.size())));
    weights::require_tensors(reader, plan);
    if (teams.index() == 0)
      for (std::size_t i = 0; i < moments.size(); ++i)
        moments[i].add(reader, reader.at(moment_name(i)));
    return moments;
  });
}

InputMoments measure_inputs(Network& network, const Communicator& world, const Teams& teams,
                            const std::vector<std::string>& names,
                            const std::vector<Batch>& batches, MomentPart part,
                            const MeasurementCheckpoint& checkpoint) {
  const torch::NoGradGuard no_gradients;
  InputMoments result = empty_moments(network, teams.team(), names, part);
  PartialMoments state{.moments = std::move(result.moments)};
  std::vector<Observation> observations;
  for (std::size_t w = 0, moments = 0; w < names.size(); ++w)
    if (result.of_weight[w] == moments) {  // the first that reads this activation
      SecondMoment& moment = state.moments[moments++];
      observations.emplace_back(
          network.slot(names[w]),
          models::Observer{.of_inputs = [&moment](const Tensor& x) { moment.add(x); }});
    }

  for (const Batch& batch : own_batches(batches, teams)) state.activations.push_back(batch.inputs);
  checkpoint.restore(state);
  const std::vector<Stage> stages = stages_up_to(network, names);
  const std::int64_t of_a_stage = rounds_of(batches, teams);
  const std::int64_t rounds = std::ssize(stages) * of_a_stage;
  ProgressLine progress(output_of(world));
  while (state.rounds < rounds) {
    const Stage& stage = stages[static_cast<std::size_t>(state.rounds / of_a_stage)];
    const auto b = static_cast<std::size_t>(state.rounds % of_a_stage);
    if (b < state.activations.size()) state.activations[b] = stage.forward(state.activations[b]);
    ++state.rounds;
    progress.update(static_cast<double>(state.rounds) / static_cast<double>(rounds),
                    fmt::format("calibration: {}", stage.name));
    checkpoint.keep(state);
  }
  result.moments = std::move(state.moments);
  return result;
}

void observe_backward(const Network& network, const Communicator& world, const Teams& teams,
                      const std::vector<Batch>& batches, Targets targets, const char* what,
                      PartialMoments& state, const MeasurementCheckpoint& checkpoint) {
  checkpoint.restore(state);
  const std::int64_t rounds = rounds_of(batches, teams);
  ProgressLine progress(output_of(world));
  while (state.rounds < rounds) {
    const auto b = static_cast<std::size_t>(state.rounds * teams.count() + teams.index());
    if (b < batches.size()) backward(network, batches[b], targets, b);
    ++state.rounds;
    progress.update(static_cast<double>(state.rounds) / static_cast<double>(rounds),
                    fmt::format("{}: window {} of {}", what, state.rounds, rounds));
    checkpoint.keep(state);
  }
}

MomentPart gradient_part(const Network& network, const std::string& name, MomentPart wanted) {
  return network.is_outer(name) ? MomentPart::diagonal : wanted;
}

std::vector<SecondMoment> measure_output_gradients(Network& network, const Communicator& world,
                                                   const Teams& teams,
                                                   const std::vector<std::string>& names,
                                                   const std::vector<Batch>& batches,
                                                   const LossGradients& gradients, MomentPart part,
                                                   const MeasurementCheckpoint& checkpoint) {
  PartialMoments state;
  for (const std::string& name : names) {
    const auto weight = weight_of(network, name);
    state.moments.emplace_back(teams.team(), weight->outputs(), weight->own_rows().scalar_type(),
                               gradient_part(network, name, part));
  }
  std::vector<Observation> observations;
  for (std::size_t w = 0; w < names.size(); ++w) {
    models::Slot& slot = network.slot(names[w]);
    const RowSplit* split = &slot.weight()->split();
    observations.emplace_back(
        slot, models::Observer{.of_output_gradients = [&, split, w](const Tensor& dy) {
          const Tensor all =
              weights::gather_columns(teams.team(), dy.detach(), *split, weights::Gradient::same);
          state.moments[w].add(counted_gradients(all, gradients));
        }});
  }
  observe_backward(network, world, teams, batches, gradients.targets, "output gradients", state,
                   checkpoint);
  return std::move(state.moments);
}

}  // namespace rankine::compress
