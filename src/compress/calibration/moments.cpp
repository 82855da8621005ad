#include "compress/calibration/moments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "compress/calibration/activation_observer.hpp"
#include "core/contracts.hpp"
#include "core/progress.hpp"
#include "linalg/blas.hpp"
#include "models/language/losses.hpp"
#include "models/language/sampled_tokens.hpp"
#include "parallel/agreement.hpp"
#include "weights/rows/element_type.hpp"
#include "weights/rows/exchange.hpp"
#include "weights/rows/row_exchange.hpp"
#include "weights/rows/single_threaded_blas.hpp"
#include "weights/storage/tensor_folder.hpp"

namespace rankine::compress {

using models::LanguageModel;
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

/// This team's windows, in turn with the others.
TokenWindows own_windows(const TokenWindows& windows, const Teams& teams) {
  TokenWindows own;
  for (auto w = static_cast<std::size_t>(teams.index()); w < windows.size();
       w += static_cast<std::size_t>(teams.count()))
    own.push_back(windows[w]);
  return own;
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

std::vector<SecondMoment> read_moments(const std::vector<std::int64_t>& sizes,
                                       torch::ScalarType type, MomentPart part,
                                       const Communicator& world, const Teams& teams,
                                       const std::filesystem::path& folder) {
  const files::SafetensorsReader reader(world, folder);
  return parallel::agree_on_failure(world, [&] {
    std::vector<SecondMoment> moments;
    std::vector<files::TensorPlan> plan;
    for (const std::int64_t size : sizes)
      plan.push_back(
          moments.emplace_back(teams.team(), size, type, part).plan(moment_name(plan.size())));
    weights::require_tensors(reader, plan);
    if (teams.index() == 0)
      for (std::size_t i = 0; i < moments.size(); ++i)
        moments[i].add(reader, reader.at(moment_name(i)));
    return moments;
  });
}

InputMoments measure_inputs(LanguageModel& model, const Communicator& world, const Teams& teams,
                            const std::vector<std::string>& names, const TokenWindows& windows,
                            MomentPart part) {
  const torch::NoGradGuard no_gradients;
  InputMoments result;
  result.of_weight.resize(names.size());
  std::vector<bool> is_known(names.size(), false);
  Tensor last_input;
  std::size_t last_moment = 0;
  // Weights that share an input are asked one after the other with the same tensor.
  const auto observe = [&](std::size_t weight, const Tensor& x) {
    const bool is_shared = last_input.defined() && x.is_same(last_input);
    if (!is_known[weight]) {
      is_known[weight] = true;
      if (!is_shared) result.moments.emplace_back(teams.team(), x.size(1), torch::kFloat64, part);
      result.of_weight[weight] = is_shared ? last_moment : result.moments.size() - 1;
    }
    if (!is_shared) result.moments[result.of_weight[weight]].add(x);
    last_input = x;
    last_moment = result.of_weight[weight];
  };
  TemporaryWeights watch(model);
  for (std::size_t w = 0; w < names.size(); ++w)
    watch.watch(names[w], {.of_inputs = [&, w](const Tensor& x) { observe(w, x); }});

  const TokenWindows own = own_windows(windows, teams);
  std::vector<Tensor> states;
  for (const auto& ids : own) states.push_back(model.embed(torch::tensor(ids, torch::kInt64)));
  ProgressLine progress(output_of(world));
  for (std::size_t layer = 0; layer < model.layers().size(); ++layer)
    for (std::size_t w = 0; w < own.size(); ++w) {
      states[w] =
          model.layers()[layer].forward(teams.team(), model.config(), states[w], 0, nullptr);
      const auto done = static_cast<double>(layer * own.size() + w + 1);
      progress.update(done / static_cast<double>(model.layers().size() * own.size()),
                      fmt::format("calibration: layer {} of {}", layer + 1, model.layers().size()));
    }
  return result;
}

std::vector<SecondMoment> measure_output_gradients(LanguageModel& model, const Communicator& world,
                                                   const Teams& teams,
                                                   const std::vector<std::string>& names,
                                                   const TokenWindows& windows, Targets targets,
                                                   MomentPart part) {
  std::vector<SecondMoment> moments;
  TemporaryWeights watch(model);
  for (const std::string& name : names) {
    const auto weight = weight_of(model, name);
    moments.emplace_back(teams.team(), weight->outputs(), weight->own_rows().scalar_type(), part);
  }
  for (std::size_t w = 0; w < names.size(); ++w) {
    const RowSplit* split = &weight_of(model, names[w])->split();
    watch.watch(names[w], {.of_output_gradients = [&, split, w](const Tensor& dy) {
                  moments[w].add(weights::gather_columns(teams.team(), dy.detach(), *split,
                                                         weights::Gradient::same));
                }});
  }
  const TokenWindows own = own_windows(windows, teams);
  ProgressLine progress(output_of(world));
  for (std::size_t w = 0; w < own.size(); ++w) {
    const std::int64_t predicted = std::ssize(own[w]) - 1;
    const Tensor ids = torch::tensor(own[w], torch::kInt64);
    const Tensor x = model.embed(ids).detach().requires_grad_(true);
    const Tensor states = model.run_layers(x).narrow(0, 0, predicted);
    const auto number =
        w * static_cast<std::size_t>(teams.count()) + static_cast<std::size_t>(teams.index());
    const Tensor next = targets == Targets::text
                            ? ids.narrow(0, 1, predicted)
                            : models::sample_tokens(model, states.detach(), number);
    models::token_losses(model, states, next).sum().backward();
    progress.update(static_cast<double>(w + 1) / static_cast<double>(own.size()),
                    fmt::format("output gradients: window {} of {}", w + 1, own.size()));
  }
  return moments;
}

}  // namespace rankine::compress
