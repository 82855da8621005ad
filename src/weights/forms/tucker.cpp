#include "weights/forms/tucker.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "core/contracts.hpp"
#include "weights/forms/stored_tensors.hpp"
#include "weights/rows/axis_product.hpp"
#include "weights/rows/exchange.hpp"
#include "weights/rows/product.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

struct NamedFactor {
  const char* name;
  Tensor TuckerFactors::*tensor;
};

/// Beside the core, in the order of its axes.
constexpr NamedFactor named_factors[] = {{"output_factor", &TuckerFactors::output},
                                         {"input_factor", &TuckerFactors::input},
                                         {"height_factor", &TuckerFactors::height},
                                         {"width_factor", &TuckerFactors::width}};

/// The length of an axis of the kernel.
std::int64_t extent(const TuckerFactors& factors, std::int64_t axis) {
  const Tensor& factor = factors.*named_factors[axis].tensor;
  return factor.defined() ? factor.size(0) : factors.core.size(axis);
}

/// The core with kernel height and width.
Tensor spatial_core(const TuckerFactors& factors) {
  return along_axis(along_axis(factors.core, 2, factors.height), 3, factors.width);
}

Tensor as_rows(const Tensor& core) { return core.flatten(1); }

}  // namespace

KernelShape TuckerFactors::shape() const {
  return {core.size(0), extent(*this, 1), extent(*this, 2), extent(*this, 3)};
}

Tensor contract(const TuckerFactors& factors) {
  const Tensor rows = as_rows(along_axis(spatial_core(factors), 1, factors.input));
  return factors.output.defined() ? times_transposed(factors.output, rows.t()) : rows;
}

std::int64_t tucker_numbers(const KernelShape& shape, const TuckerRanks& ranks) {
  std::int64_t numbers = ranks.output * ranks.input * ranks.height * ranks.width;
  for (const auto& [extent, rank] : {std::pair{shape.outputs, ranks.output},
                                     {shape.inputs, ranks.input},
                                     {shape.height, ranks.height},
                                     {shape.width, ranks.width}})
    if (rank < extent) numbers += extent * rank;
  return numbers;
}

Tucker::Tucker(const parallel::Communicator& ranks, RowSplit rows, TuckerFactors factors)
    : MaterialisedWeight(ranks, std::move(rows)), factors_(std::move(factors)) {
  RANKINE_EXPECTS(factors_.core.dim() == 4, "a core has four axes");
  for (std::int64_t axis = 0; axis < 4; ++axis) {
    [[maybe_unused]] const Tensor& factor = factors_.*named_factors[axis].tensor;
    RANKINE_EXPECTS(
        !factor.defined() || (factor.dim() == 2 && factor.size(1) == factors_.core.size(axis)),
        "a factor is extent x rank");
  }
  RANKINE_EXPECTS(factors_.output.defined() ? factors_.output.size(0) == own_count()
                                            : factors_.core.size(0) == outputs(),
                  "own rows of the factor of the outputs are given");
}

std::int64_t Tucker::kept_rank() const {
  return std::max(factors_.core.size(0), factors_.core.size(1));
}

TuckerFactors Tucker::shared() const {
  TuckerFactors all = factors_;
  all.core = share_input(team(), all.core);
  if (!all.output.defined()) all.core = all.core.narrow(0, own_first(), own_count());
  for (Tensor* copy : {&all.input, &all.height, &all.width})
    if (copy->defined()) *copy = share_input(team(), *copy);
  return all;
}

Tensor Tucker::compute_rows() const { return contract(shared()); }

Tensor Tucker::convolve(const Tensor& images, const ConvolutionGeometry& geometry,
                        const Tensor& own_bias) const {
  RANKINE_EXPECTS(geometry.groups == 1, "a core is of one group");
  const ConvolutionGeometry pointwise{.kernel = {1, 1}};
  const TuckerFactors all = shared();
  const Tensor core = as_rows(spatial_core(all));
  const Tensor inner =
      all.input.defined() ? convolve_rows(images, all.input.t(), pointwise, {}) : images;
  if (!all.output.defined()) return convolve_rows(inner, core, geometry, own_bias);
  return convolve_rows(convolve_rows(inner, core, geometry, {}), all.output, pointwise, own_bias);
}

std::vector<Parameter> Tucker::parameters() const {
  const auto copy = [](const char* name, const Tensor& values) {
    return Parameter{name, values, Placement::copy, 0, values.size(0)};
  };
  std::vector<Parameter> all{copy("core", factors_.core)};
  if (factors_.output.defined())
    all.push_back({"output_factor", factors_.output, Placement::rows, own_first(), outputs()});
  for (const auto& [name, tensor] : std::span(named_factors).subspan(1))
    if ((factors_.*tensor).defined()) all.push_back(copy(name, factors_.*tensor));
  return all;
}

std::unique_ptr<Tucker> make_tucker(const parallel::Communicator& team, const RowSplit& split,
                                    const TuckerFactors& whole, torch::ScalarType type) {
  TuckerFactors own = whole;
  if (own.output.defined())
    own.output = own.output.narrow(0, split.first(team.rank()), split.count(team.rank()));
  for (Tensor* tensor : {&own.core, &own.output, &own.input, &own.height, &own.width})
    if (tensor->defined()) *tensor = tensor->detach().to(type).clone(at::MemoryFormat::Contiguous);
  return std::make_unique<Tucker>(team, split, std::move(own));
}

std::unique_ptr<Weight> read_tucker(const parallel::Communicator& team, const DenseSource& source,
                                    const StoredTensors& tensors) {
  const auto core = tensors.shape("core");
  tensors.require("core", core.size() == 4, "it has not four axes");
  TuckerFactors factors;
  factors.core = tensors.all("core");
  for (std::size_t axis = 0; axis < 4; ++axis) {
    const auto& [name, tensor] = named_factors[axis];
    if (!tensors.has(name)) continue;
    const auto shape = tensors.shape(name);
    tensors.require(name, shape.size() == 2 && shape[1] == core[axis], "its shape");
    if (axis == 0) tensors.require(name, shape[0] == source.split.total(), "its rows");
    factors.*tensor = axis == 0 ? tensors.own(name, source.split) : tensors.all(name);
  }
  tensors.require("core", factors.output.defined() || core[0] == source.split.total(),
                  "its first axis");
  tensors.require("core", factors.shape().columns() == source.inputs, "its inputs");
  return std::make_unique<Tucker>(team, source.split, std::move(factors));
}

}  // namespace rankine::weights
