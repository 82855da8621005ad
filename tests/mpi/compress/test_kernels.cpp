// The forms of kernels: exact at full ranks, as wrong as their curves say below, fitted alike on
// every number of ranks, and within the budget of numbers; fitted again on their own inputs.
#include <gtest/gtest.h>

#include <numeric>

#include "../models/image_testing.hpp"
#include "compress/calibration/input_drift.hpp"
#include "compress/kernels/dealt_kernels.hpp"
#include "compress/kernels/kernel_allocation.hpp"
#include "core/errors.hpp"
#include "models/image/image_network_reader.hpp"

namespace rankine::compress {
namespace {

using torch::Tensor;
using weights::Form;

CompressOptions options_for(Form form, std::int64_t multiple = 1) {
  CompressOptions options;
  options.method.form = form;
  options.method.weighting = Weighting::full;
  options.method.sweeps = 6;
  options.ranks.multiple_of = multiple;
  return options;
}

std::vector<Form> forms_of_kernels() {
  return {Form::tucker, Form::matrix_product, Form::cut, Form::low_rank};
}

/// Convolutions of three shapes on one another, with random weights; the same on all ranks.
struct KernelCase {
  models::NetworkPlan plan;
  models::ImageNetwork network;
  std::vector<Kernel> kernels;

  KernelCase()
      : plan(make_plan()),
        network(models::draw_image_network(models::alone().team(), plan, 3,
                                           models::Precision::float64)) {
    plan.for_each([&](const models::LayerPlan& layer) {
      kernels.push_back({.name = layer.name,
                         .shape = {layer.outputs.channels, layer.inputs.channels,
                                   layer.geometry.kernel[0], layer.geometry.kernel[1]},
                         .geometry = layer.geometry});
    });
  }

  static models::NetworkPlan make_plan() {
    const auto text = nlohmann::json::parse(R"({"layers": [
      {"type": "convolution", "name": "a", "outputs": 8, "kernel": 3, "padding": 1},
      {"type": "convolution", "name": "b", "outputs": 5, "kernel": [1, 3], "padding": [0, 1]},
      {"type": "convolution", "name": "c", "outputs": 6, "kernel": 3}]})");
    return models::parse_plan(text, "layers.json", {.channels = 3, .height = 3, .width = 3});
  }

  std::vector<std::unique_ptr<KernelForm>> forms(const CompressOptions& options) const {
    std::vector<std::unique_ptr<KernelForm>> forms;
    for (const Kernel& kernel : kernels) forms.push_back(form_of(kernel, options));
    return forms;
  }
  KernelProblem problem(std::size_t k, bool is_weighted) const {
    KernelProblem problem{.matrix = weight_of(network, kernels[k].name)->own_rows()};
    at::Generator random = at::detail::createCPUGenerator(k + 1);
    const std::int64_t n = problem.matrix.size(1);
    const Tensor x =
        at::normal(0.0, 1.0, {2 * n, n}, random, torch::TensorOptions(torch::kFloat64));
    if (is_weighted) problem.norm.inputs = x.t().mm(x);
    return problem;
  }
};

std::int64_t sum_of_numbers(const std::vector<Kernel>& kernels,
                            const std::vector<std::unique_ptr<KernelForm>>& forms,
                            const std::vector<KernelRanks>& ranks) {
  std::int64_t sum = 0;
  for (std::size_t k = 0; k < kernels.size(); ++k)
    sum += ranks[k].empty() ? kernels[k].shape.dense_numbers() : forms[k]->numbers(ranks[k]);
  return sum;
}

std::int64_t all_numbers(const std::vector<Kernel>& kernels) {
  return std::accumulate(
      kernels.begin(), kernels.end(), std::int64_t{0},
      [](std::int64_t sum, const Kernel& kernel) { return sum + kernel.shape.dense_numbers(); });
}

TEST(Kernels, AtFullRanksFormsAreTheKernel) {
  const torch::NoGradGuard no_gradients;
  const KernelCase networks;
  for (const Form form : forms_of_kernels()) {
    const auto forms = networks.forms(options_for(form));
    for (std::size_t k = 0; k < forms.size(); ++k)
      for (const bool is_weighted : {false, true}) {
        const KernelProblem problem = networks.problem(k, is_weighted);
        const auto made = forms[k]->make(problem, forms[k]->full());
        const auto weight = forms[k]->weight(models::alone().team(), made, torch::kFloat64);
        EXPECT_LT((weight->own_rows() - problem.matrix).norm().item<double>(), 1e-9)
            << name(form) << " of " << networks.kernels[k].name;
      }
  }
}

TEST(Kernels, CurvesSayWhatIsLeft) {
  const torch::NoGradGuard no_gradients;
  const KernelCase networks;
  for (const Form form : forms_of_kernels()) {
    const auto forms = networks.forms(options_for(form));
    for (std::size_t k = 0; k < forms.size(); ++k) {
      const KernelProblem problem = networks.problem(k, true);
      const double whole = problem.norm.squared(problem.matrix);
      for (const KernelPoint& point : forms[k]->points(problem)) {
        const auto made = forms[k]->make(problem, point.ranks);
        const auto weight = forms[k]->weight(models::alone().team(), made, torch::kFloat64);
        const double left = problem.norm.squared(weight->own_rows() - problem.matrix);
        // A fit of the very ranks mostly leaves less; it may end in another minimum.
        EXPECT_LT(left, 1.02 * point.squared_error + 1e-9 * whole) << name(form);
        EXPECT_EQ(forms[k]->numbers(point.ranks), point.numbers);
        if (form == Form::low_rank || form == Form::cut)
          EXPECT_NEAR(left, point.squared_error, 1e-9 * whole);
      }
    }
  }
}

TEST(Kernels, AreFittedAlikeOnAnyRanks) {
  const torch::NoGradGuard no_gradients;
  const KernelCase networks;
  for (const Form form : forms_of_kernels()) {
    const auto forms = networks.forms(options_for(form));
    const DealtKernels dealt(networks.network, world(), networks.kernels, forms, {});
    const DealtKernels own(networks.network, models::alone().team(), networks.kernels, forms, {});
    const auto curves = dealt.curves(), own_curves = own.curves();
    std::vector<KernelRanks> ranks;
    for (std::size_t k = 0; k < forms.size(); ++k) {
      ASSERT_EQ(curves[k].points.size(), own_curves[k].points.size());
      EXPECT_EQ(curves[k].squared_norm, own_curves[k].squared_norm);
      for (std::size_t p = 0; p < curves[k].points.size(); ++p) {
        EXPECT_EQ(curves[k].points[p].ranks, own_curves[k].points[p].ranks);
        EXPECT_EQ(curves[k].points[p].squared_error, own_curves[k].points[p].squared_error);
      }
      ranks.push_back(k == 1 ? KernelRanks{} : forms[k]->at_fraction(0.5, 1));
    }
    const auto made = dealt.make(ranks), own_made = own.make(ranks);
    for (std::size_t k = 0; k < forms.size(); ++k) {
      ASSERT_EQ(made[k].tensors.size(), own_made[k].tensors.size());
      EXPECT_EQ(made[k].tensors.empty(), ranks[k].empty());
      for (std::size_t t = 0; t < made[k].tensors.size(); ++t)
        EXPECT_TRUE(torch::equal(made[k].tensors[t], own_made[k].tensors[t])) << name(form);
    }
  }
}

TEST(Kernels, AllocationsKeepTheBudgetAndMultiples) {
  const torch::NoGradGuard no_gradients;
  const KernelCase networks;
  for (const Form form : forms_of_kernels())
    for (const std::int64_t multiple : {1, 2}) {
      const auto forms = networks.forms(options_for(form, multiple));
      const DealtKernels dealt(networks.network, world(), networks.kernels, forms, {});
      const double least = smallest_ratio(networks.kernels, forms, multiple);
      for (const double ratio : {least + 1e-6, std::max(least, 0.5), std::max(least, 0.8)}) {
        const auto budget = ratio * static_cast<double>(all_numbers(networks.kernels)) + 1e-6;
        const auto uniform = uniform_kernel_ranks(networks.kernels, forms, ratio, multiple);
        const auto additive = additive_kernel_ranks(networks.kernels, dealt.curves(), {}, ratio);
        for (std::size_t k = 0; k < forms.size(); ++k)
          for (std::size_t axis = 0; axis < additive[k].size(); ++axis) {
            EXPECT_GE(additive[k][axis], 1);
            EXPECT_TRUE(additive[k][axis] % multiple == 0 ||
                        additive[k][axis] == forms[k]->full()[axis]);
          }
        EXPECT_LE(static_cast<double>(sum_of_numbers(networks.kernels, forms, additive)), budget)
            << name(form) << ' ' << ratio;
        std::int64_t held = 0;
        for (std::size_t k = 0; k < forms.size(); ++k)
          held +=
              std::min(forms[k]->numbers(uniform[k]), networks.kernels[k].shape.dense_numbers());
        EXPECT_LE(static_cast<double>(held), budget) << name(form) << ' ' << ratio;
      }
    }
}

/// A network whose kernels are fitted on what they read in it, and the one that they come from.
struct SweptCase {
  KernelCase original, changed;
  std::vector<std::unique_ptr<KernelForm>> forms;
  Tensor images = models::waves({60, 3, 3, 3}, 0.3);

  explicit SweptCase(Form form) : forms(original.forms(options_for(form))) {}

  /// Those of this rank, or all.
  std::vector<models::Batch> batches(const parallel::Communicator& ranks) const {
    std::vector<models::Batch> own;
    const auto blocks = images.split(10);
    for (std::size_t b = 0; b < blocks.size(); ++b)
      if (static_cast<int>(b) % ranks.size() == ranks.rank()) own.push_back({.inputs = blocks[b]});
    return own;
  }

  /// On the inputs that the changed network has; the first time it is the original still.
  void fit(const parallel::Communicator& ranks, double fraction) {
    std::vector<std::string> names;
    std::vector<KernelRanks> kept;
    for (std::size_t k = 0; k < forms.size(); ++k) {
      names.push_back(original.kernels[k].name);
      kept.push_back(forms[k]->at_fraction(fraction, 1));
    }
    InputDrift drift = measure_drift(original.network, changed.network, models::alone().team(),
                                     names, batches(ranks));
    const DealtKernels dealt(
        original.network, ranks, original.kernels, forms,
        {.inputs = std::move(drift.moments), .changes = std::move(drift.changes)});
    const auto made = dealt.make(kept);
    for (std::size_t k = 0; k < forms.size(); ++k)
      changed.network.replace_weight(
          names[k], forms[k]->weight(models::alone().team(), made[k].tensors, torch::kFloat64));
  }

  /// Of the outputs of all layers, each on the inputs that it has in its network.
  double squared_error() const {
    double sum = 0;
    Tensor x = images, y = images;
    const auto stages = original.network.stages(), changed_stages = changed.network.stages();
    for (std::size_t s = 0; s < stages.size(); ++s) {
      x = stages[s].forward(x);
      y = changed_stages[s].forward(y);
      sum += (x - y).square().sum().item<double>();
    }
    return sum;
  }
  double distance(std::size_t k, const models::Network& network) const {
    const std::string& name = original.kernels[k].name;
    const Tensor rows = weight_of(network, name)->own_rows();
    return ((weight_of(changed.network, name)->own_rows() - rows).norm() / rows.norm())
        .item<double>();
  }
};

TEST(Kernels, ASweepOnOwnInputsLeavesLess) {
  const torch::NoGradGuard no_gradients;
  for (const Form form : {Form::tucker, Form::low_rank}) {
    SweptCase swept(form);
    swept.fit(world(), 0.6);  // to the inputs of the original
    const double before = swept.squared_error();
    swept.fit(world(), 0.6);
    EXPECT_LT(swept.squared_error(), 0.99 * before) << name(form);
  }
}

TEST(Kernels, ASweepIsTheSameOnAnyRanks) {
  const torch::NoGradGuard no_gradients;
  SweptCase dealt(Form::low_rank), own(Form::low_rank);
  for (int sweep = 0; sweep < 2; ++sweep) {
    dealt.fit(world(), 0.6);
    own.fit(models::alone().team(), 0.6);
  }
  for (std::size_t k = 0; k < own.forms.size(); ++k)
    EXPECT_LT(dealt.distance(k, own.changed.network), 1e-8) << own.original.kernels[k].name;
}

TEST(Kernels, AtFullRanksASweepChangesNothing) {
  const torch::NoGradGuard no_gradients;
  SweptCase swept(Form::tucker);
  for (int sweep = 0; sweep < 2; ++sweep) swept.fit(world(), 1);
  for (std::size_t k = 0; k < swept.forms.size(); ++k)
    EXPECT_LT(swept.distance(k, swept.original.network), 1e-8) << swept.original.kernels[k].name;
}

TEST(Kernels, OfGroupsHaveNoForm) {
  Kernel kernel{
      .name = "grouped", .shape = {12, 2, 3, 3}, .geometry = {.kernel = {3, 3}, .groups = 4}};
  for (const Form form : forms_of_kernels()) EXPECT_EQ(form_of(kernel, options_for(form)), nullptr);
}

}  // namespace
}  // namespace rankine::compress
