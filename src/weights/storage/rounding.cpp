#include "weights/storage/rounding.hpp"

#include <algorithm>

#include "core/contracts.hpp"
#include "weights/storage/four_bits.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

/// A tensor as the matrix whose rows hold the blocks: own rows stay rows.
Tensor as_matrix(const Parameter& parameter) {
  const Tensor& values = parameter.values;
  if (values.dim() == 2) return values;
  return values.dim() == 1 ? values.view({1, -1}) : values.view({values.size(0), -1});
}

/// Rounds the matrix in place, some rows at a time: what that takes is many times their size.
FourBitBlocks round_rows(const Tensor& matrix) {
  constexpr std::int64_t at_once = 4096;
  std::vector<Tensor> codes, minima, steps;
  std::int64_t first = 0;
  do {
    const Tensor rows = matrix.narrow(0, first, std::min(at_once, matrix.size(0) - first));
    const FourBitBlocks blocks = four_bit_blocks(rows);
    rows.copy_(values_of(blocks, rows.size(1), rows.scalar_type()));
    codes.push_back(blocks.codes);
    minima.push_back(blocks.minima);
    steps.push_back(blocks.steps);
    first += rows.size(0);
  } while (first < matrix.size(0));
  return {torch::cat(codes, 0), torch::cat(minima, 0), torch::cat(steps, 0)};
}

/// Rounds the parameter in place and returns what is stored of it.
std::vector<Parameter> round_to_four_bits(const Parameter& parameter) {
  const Tensor matrix = as_matrix(parameter);
  const FourBitBlocks blocks = round_rows(matrix);
  const std::int64_t rows =
      parameter.placement == Placement::rows ? parameter.total_rows : matrix.size(0);
  const auto shape = whole_shape(parameter);
  const Tensor lengths = torch::tensor(shape, torch::kInt64).to(torch::kInt32);
  const auto part = [&](const char* name, const Tensor& stored) {
    return Parameter{parameter.name + "." + name, stored, parameter.placement, parameter.first_row,
                     rows};
  };
  return {part("codes", blocks.codes),
          part("minima", blocks.minima),
          part("steps", blocks.steps),
          {parameter.name + ".shape", lengths, Placement::copy, 0, lengths.size(0)}};
}

std::vector<Parameter> round_to_short_floats(const Parameter& parameter, torch::ScalarType type) {
  Parameter stored = parameter;
  stored.values = parameter.values.detach().to(type);
  Tensor values = parameter.values;
  values.copy_(stored.values);
  return {stored};
}

}  // namespace

std::vector<Parameter> round_in_place(const Parameter& parameter, Storage storage) {
  RANKINE_EXPECTS(storage != Storage::exact, "the numbers are rounded to something");
  if (storage == Storage::four_bits) return round_to_four_bits(parameter);
  return round_to_short_floats(parameter,
                               storage == Storage::bfloat16 ? torch::kBFloat16 : torch::kFloat16);
}

}  // namespace rankine::weights
