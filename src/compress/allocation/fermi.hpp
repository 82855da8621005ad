// FermiGrad: ranks by gradient descent on soft cut-offs of the singular values (arXiv:2512.03062).
//
// The component i of a matrix is scaled by the Fermi function f_i = 1 / (1 + exp((i + 1/2 - mu) /
// T)); its soft rank is sum_i f_i. The chemical potentials mu of all matrices follow the gradient
// of the loss within the budget, while T falls until f is a step.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "compress/allocation/allocation.hpp"
#include "compress/allocation/fermi_repair.hpp"

namespace rankine::compress {

struct FermiOptions {
  std::int64_t steps = 30;
  double learning_rate_first = 0.01;  ///< of mu / full rank; falls geometrically to
  double learning_rate_last = 0.001;
  double temperature_first = 0.05;  ///< times the full rank; falls geometrically to
  double temperature_last = 0.5;    ///< ranks
};

/// Of step `step`, for these masks: the derivative of the loss by each mask value.
using MaskGradient = std::function<Components(std::int64_t step, const Components& masks)>;

/// What a search knows after `steps` steps.
struct FermiState {
  std::int64_t steps = 0;
  std::vector<double> parts;   ///< mu / full rank of each matrix
  std::vector<double> mean;    ///< Adam's
  std::vector<double> square;  ///< Adam's
  Importance importance;       ///< of the components
};

/// To go on with a search that was stopped.
struct FermiCheckpoint {
  std::optional<FermiState> from = std::nullopt;
  std::function<void(const FermiState&)> keep = [](const FermiState&) {};  ///< after each step
};

/// Ranks that hold at most `budget` numbers together, from `first` on.
///
/// Each step projects the gradient on the tangent of the budget (all derivatives by mu have one
/// sign), takes an Adam step (betas 0.9, 0.97), and shifts all mu / full rank by one number that
/// restores the budget exactly. In the end soft ranks become whole ones (fermi_repair.hpp).
std::vector<std::int64_t> fermi_ranks(const std::vector<Candidate>& candidates, FactorGauge gauge,
                                      std::int64_t budget, std::vector<std::int64_t> first,
                                      const FermiOptions& options, const MaskGradient& gradient,
                                      const FermiCheckpoint& checkpoint = {});

}  // namespace rankine::compress
