#include "compress/factors.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <exception>
#include <map>
#include <span>

#include "compress/watched_weight.hpp"
#include "compress/weighted_svd.hpp"
#include "core/errors.hpp"
#include "core/progress.hpp"
#include "parallel/agreement.hpp"
#include "weights/element_type.hpp"
#include "weights/exchange.hpp"
#include "weights/single_threaded_blas.hpp"

namespace rankine::compress {

using models::LanguageModel;
using parallel::Communicator;
using parallel::Teams;
using torch::Tensor;

namespace {

/// A group of weights with the same inputs, whole on the rank that decomposes it.
struct Group {
  std::vector<std::size_t> weights;
  double cost = 0;
  int owner = 0;
  Tensor input_moment;
  std::vector<Tensor> matrices;
  std::vector<Tensor> output_moments;
};

/// The whole matrix in float64, on every rank of the world.
Tensor whole_matrix(const weights::Weight& weight, const Communicator& world, const Teams& teams) {
  Tensor whole = torch::zeros({weight.outputs(), weight.inputs()}, torch::kFloat64);
  const int rank = teams.team().rank();
  if (teams.index() == 0)
    whole.narrow(0, weight.split().first(rank), weight.split().count(rank))
        .copy_(weight.own_rows());
  if (world.size() > 1) weights::sum_in_place(world, {whole});
  return whole;
}

/// Floating-point operations of a group, up to a factor.
double cost_of(const std::vector<std::size_t>& members, const LanguageModel& model,
               const std::vector<std::string>& names) {
  double cost = 0;
  for (const std::size_t w : members) {
    const auto weight = weight_of(model, names[w]);
    const auto m = static_cast<double>(weight->outputs()),
               n = static_cast<double>(weight->inputs());
    cost += m * n * (std::min(m, n) * 6 + m + n) + n * n * n / 3;
  }
  return cost;
}

/// One rank's part of the work on all weights.
class Decomposition {
 public:
  Decomposition(const LanguageModel& model, const Communicator& world, const Teams& teams,
                const std::vector<std::string>& names, ErrorNorm norm)
      : model_(model),
        world_(world),
        teams_(teams),
        names_(names),
        norm_(std::move(norm)),
        type_(weight_of(model, names.front())->own_rows().scalar_type()) {
    for (const std::string& name : names)
      results_.push_back({.name = name, .left = {}, .right = {}});
    form_groups();
  }

  std::vector<WeightFactors> run() {
    const std::size_t slots =
        static_cast<std::size_t>(world_.size() * world_.max(omp_get_max_threads()));
    ProgressLine progress(world_.rank() == 0 ? Output::shown : Output::silent);
    for (std::size_t first = 0; first < groups_.size(); first += slots) {
      const std::size_t last = std::min(groups_.size(), first + slots);
      for (std::size_t g = first; g < last; ++g) {
        groups_[g].owner = static_cast<int>((g - first) % static_cast<std::size_t>(world_.size()));
        collect(groups_[g]);
      }
      work_on(std::span(groups_).subspan(first, last - first));
      progress.update(static_cast<double>(last) / static_cast<double>(groups_.size()),
                      fmt::format("decomposed {} of {} groups of weights", last, groups_.size()));
    }
    share_spectra();
    return std::move(results_);
  }

 private:
  void form_groups() {
    std::map<std::size_t, std::vector<std::size_t>> members;
    for (std::size_t w = 0; w < names_.size(); ++w)
      members[norm_.inputs == InputWeighting::none ? w : norm_.input_moments.of_weight[w]]
          .push_back(w);
    for (auto& [moment, weights] : members) {
      Group& group = groups_.emplace_back();
      group.cost = cost_of(weights, model_, names_);
      group.weights = std::move(weights);
    }
    std::stable_sort(groups_.begin(), groups_.end(),
                     [](const Group& a, const Group& b) { return a.cost > b.cost; });
  }

  /// Brings a group's matrices to its owner. Collective.
  void collect(Group& group) {
    const auto keep = [&](Tensor whole) {
      return group.owner == world_.rank() ? std::move(whole) : Tensor();
    };
    for (const std::size_t w : group.weights) {
      results_[w].owner = group.owner;
      group.matrices.push_back(keep(whole_matrix(*weight_of(model_, names_[w]), world_, teams_)));
      if (norm_.output_moments.empty()) continue;
      group.output_moments.push_back(keep(norm_.output_moments[w].assemble(world_)));
      norm_.output_moments[w].release();
    }
    if (norm_.inputs == InputWeighting::none) return;
    SecondMoment& moment =
        norm_.input_moments.moments[norm_.input_moments.of_weight[group.weights[0]]];
    group.input_moment = keep(moment.assemble(world_));
    moment.release();
  }

  void work_on(std::span<Group> groups) {
    std::vector<Group*> own;
    for (Group& group : groups)
      if (group.owner == world_.rank()) own.push_back(&group);
    std::vector<std::exception_ptr> failures(own.size());
    const weights::SingleThreadedBlas guard;
#pragma omp parallel for schedule(dynamic)
    for (std::size_t g = 0; g < own.size(); ++g) {
      try {
        decompose_group(*own[g]);
      } catch (...) {
        failures[g] = std::current_exception();
      }
    }
    parallel::agree_on_failure(world_, [&] {
      for (const std::exception_ptr& failure : failures)
        if (failure) std::rethrow_exception(failure);
    });
  }

  void decompose_group(Group& group) {
    MatrixNorm norm{.inputs = group.input_moment, .outputs = {}};
    if (norm_.inputs == InputWeighting::diagonal) norm.inputs = norm.inputs.diagonal().contiguous();
    for (std::size_t i = 0; i < group.weights.size(); ++i) {
      WeightFactors& result = results_[group.weights[i]];
      if (!group.output_moments.empty()) {
        require_finite(group.output_moments[i], names_[group.weights[i]]);
        norm.outputs = factor_with_ridge(group.output_moments[i], norm_.ridge);
      }
      WeightedComponents components = weighted_svd(group.matrices[i], norm, type_);
      result.left = std::move(components.left);
      result.right = std::move(components.right);
      result.singular_values = std::move(components.singular_values);
    }
    group.matrices.clear();
    group.output_moments.clear();
    group.input_moment = Tensor();
  }

  static void require_finite(const Tensor& moment, const std::string& name) {
    if (moment.sum().isfinite().item<bool>() && moment.diagonal().sum().item<double>() > 0) return;
    throw NumericalError(fmt::format(
        "the output gradients of {} are zero or not finite (the model overflows on the calibration "
        "text). Try model.precision = \"float64\", or method.weighting = \"full\".",
        name));
  }

  void share_spectra() {
    for (WeightFactors& result : results_) {
      std::int64_t size = std::ssize(result.singular_values);
      world_.broadcast(std::span(&size, 1), result.owner);
      result.singular_values.resize(static_cast<std::size_t>(size));
      world_.broadcast(std::span(result.singular_values), result.owner);
    }
  }

  const LanguageModel& model_;
  const Communicator& world_;
  const Teams& teams_;
  const std::vector<std::string>& names_;
  ErrorNorm norm_;
  torch::ScalarType type_;
  std::vector<Group> groups_;
  std::vector<WeightFactors> results_;
};

void broadcast(const Communicator& world, const Tensor& values, int root) {
  weights::with_element_type(values, [&]<class T>(T) {
    world.broadcast(std::span(values.data_ptr<T>(), static_cast<std::size_t>(values.numel())),
                    root);
  });
}

}  // namespace

std::vector<WeightFactors> decompose(const LanguageModel& model, const Communicator& world,
                                     const Teams& teams, const std::vector<std::string>& names,
                                     ErrorNorm norm) {
  return Decomposition(model, world, teams, names, std::move(norm)).run();
}

RankFactors broadcast_factors(const Communicator& world, const WeightFactors& factors,
                              std::int64_t rows, std::int64_t columns, std::int64_t rank,
                              torch::ScalarType type) {
  const bool is_owner = world.rank() == factors.owner;
  RankFactors result{
      is_owner ? factors.left.narrow(1, 0, rank).contiguous() : torch::empty({rows, rank}, type),
      is_owner ? factors.right.narrow(0, 0, rank) : torch::empty({rank, columns}, type)};
  if (world.size() > 1) {
    broadcast(world, result.left, factors.owner);
    broadcast(world, result.right, factors.owner);
  }
  return result;
}

}  // namespace rankine::compress
