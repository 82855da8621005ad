// What a deck of rankine-compress may choose among, with the names it has for that.
#pragma once

#include <array>

#include "compress/calibration/target_output.hpp"
#include "core/named_values.hpp"
#include "weights/making/adapter.hpp"

namespace rankine::compress {

/// The norm of an error of a weight: see docs/algorithms/compression.md.
enum class Weighting { none, diagonal, full, two_sided };
inline constexpr std::array weighting_names{
    Named<Weighting>{Weighting::none, "none"}, Named<Weighting>{Weighting::diagonal, "diagonal"},
    Named<Weighting>{Weighting::full, "full"}, Named<Weighting>{Weighting::two_sided, "two-sided"}};
constexpr std::string_view name(Weighting value) { return name_in(weighting_names, value); }

/// How ranks are shared among the weights.
enum class Allocation { uniform, additive, fermi };
inline constexpr std::array allocation_names{Named<Allocation>{Allocation::uniform, "uniform"},
                                             Named<Allocation>{Allocation::additive, "additive"},
                                             Named<Allocation>{Allocation::fermi, "fermi"}};
constexpr std::string_view name(Allocation value) { return name_in(allocation_names, value); }

/// What the squared error of a weight counts against that of another.
enum class ErrorWeights { none, output_gradient, measured, balanced };
inline constexpr std::array error_weight_names{
    Named<ErrorWeights>{ErrorWeights::none, "none"},
    Named<ErrorWeights>{ErrorWeights::output_gradient, "output-gradient"},
    Named<ErrorWeights>{ErrorWeights::measured, "measured"},
    Named<ErrorWeights>{ErrorWeights::balanced, "balanced"}};
constexpr std::string_view name(ErrorWeights value) { return name_in(error_weight_names, value); }

/// Against what a weight is fitted.
enum class FitOrder { at_once, sequential };
inline constexpr std::array fit_order_names{Named<FitOrder>{FitOrder::at_once, "at-once"},
                                            Named<FitOrder>{FitOrder::sequential, "sequential"}};
constexpr std::string_view name(FitOrder value) { return name_in(fit_order_names, value); }

/// What a weight that is fitted in order should answer.
inline constexpr std::array target_output_names{
    Named<TargetOutput>{TargetOutput::of_weight, "weight"},
    Named<TargetOutput>{TargetOutput::of_stream, "stream"}};
constexpr std::string_view name(TargetOutput value) { return name_in(target_output_names, value); }

/// What training on a text makes small.
enum class HealingLoss { next_token, distillation };
inline constexpr std::array healing_loss_names{
    Named<HealingLoss>{HealingLoss::next_token, "next-token"},
    Named<HealingLoss>{HealingLoss::distillation, "distillation"}};
constexpr std::string_view name(HealingLoss value) { return name_in(healing_loss_names, value); }

/// In which numbers healing moves the factors of a weight.
enum class HealingCoordinates { factors, whitened };
inline constexpr std::array healing_coordinate_names{
    Named<HealingCoordinates>{HealingCoordinates::factors, "factors"},
    Named<HealingCoordinates>{HealingCoordinates::whitened, "whitened"}};
constexpr std::string_view name(HealingCoordinates value) {
  return name_in(healing_coordinate_names, value);
}

/// What stands beside frozen weights and is trained in their place.
enum class Adapter { none, cayley, block_diagonal, lora };
inline constexpr std::array adapter_names{Named<Adapter>{Adapter::none, "none"},
                                          Named<Adapter>{Adapter::cayley, "cayley"},
                                          Named<Adapter>{Adapter::block_diagonal, "block-diagonal"},
                                          Named<Adapter>{Adapter::lora, "lora"}};
constexpr std::string_view name(Adapter value) { return name_in(adapter_names, value); }

}  // namespace rankine::compress
