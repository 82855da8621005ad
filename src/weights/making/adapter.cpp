#include "weights/making/adapter.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <cmath>

#include "core/errors.hpp"
#include "weights/forms/rotated.hpp"
#include "weights/forms/updated.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

BlockGenerator generator_of(AdapterKind kind) {
  return kind == AdapterKind::block_diagonal ? BlockGenerator::free : BlockGenerator::cayley;
}

bool acts_on(AdapterSide side, AdapterSide asked) {
  return side == asked || side == AdapterSide::both;
}

void require_divisor(std::int64_t block, std::int64_t width, const char* side) {
  if (block >= 2 && width % block == 0) return;
  throw InputError(fmt::format(
      "blocks of {} do not fit a weight of {} {} (blocks have at least 2 indices and fill the {} "
      "without remainder). Choose a size that divides {}.",
      block, width, side, side, width));
}

std::int64_t numbers_of_side(const AdapterShape& adapter, std::int64_t width, const char* side) {
  require_divisor(adapter.block, width, side);
  return adapter.layers * (width / adapter.block) *
         numbers_of_block(generator_of(adapter.kind), adapter.block);
}

std::int64_t lora_numbers(std::int64_t rank, const MatrixShape& matrix) {
  if (rank < 1 || rank > matrix.full_rank())
    throw InputError(fmt::format(
        "a LoRA update of rank {} does not fit a weight of {} x {} (ranks are 1 to {}). Choose a "
        "smaller one.",
        rank, matrix.rows, matrix.columns, matrix.full_rank()));
  return rank * (matrix.rows + matrix.columns);
}

/// Uniform numbers within 1 / sqrt(inputs), as PEFT starts with.
Tensor random_right(std::int64_t rank, std::int64_t inputs, std::uint64_t seed,
                    torch::ScalarType type) {
  const double bound = 1 / std::sqrt(static_cast<double>(inputs));
  auto generator = at::detail::createCPUGenerator(seed);
  return ((2 * torch::rand({rank, inputs}, generator, torch::kFloat64) - 1) * bound).to(type);
}

std::shared_ptr<Weight> make_lora(std::shared_ptr<Weight> base, const AdapterShape& shape,
                                  torch::ScalarType type) {
  const std::int64_t rows = base->split().count(base->team().rank());
  const Tensor right = random_right(shape.rank, base->inputs(), shape.seed, type);
  return std::make_shared<Updated>(std::move(base), torch::zeros({rows, shape.rank}, type), right);
}

}  // namespace

std::int64_t adapter_numbers(const AdapterShape& adapter, const MatrixShape& matrix) {
  if (adapter.kind == AdapterKind::lora) return lora_numbers(adapter.rank, matrix);
  std::int64_t numbers = 0;
  if (acts_on(adapter.side, AdapterSide::inputs))
    numbers += numbers_of_side(adapter, matrix.columns, "inputs");
  if (acts_on(adapter.side, AdapterSide::outputs))
    numbers += numbers_of_side(adapter, matrix.rows, "outputs");
  return numbers;
}

std::shared_ptr<Weight> make_adapted(std::shared_ptr<Weight> base, const AdapterShape& shape) {
  if (base->base())
    throw InputError(
        "a weight has an adapter already (there is one at most). Merge it into a dense checkpoint "
        "first.");
  adapter_numbers(shape, {base->outputs(), base->inputs()});
  const torch::ScalarType type = base->parameters()[0].values.scalar_type();
  if (shape.kind == AdapterKind::lora) return make_lora(std::move(base), shape, type);
  const auto rotation = [&](AdapterSide side, std::int64_t width) {
    return acts_on(shape.side, side)
               ? identity_rotation(width, shape.block, shape.layers, type, generator_of(shape.kind))
               : Rotation();
  };
  Rotation inputs = rotation(AdapterSide::inputs, base->inputs());
  Rotation outputs = rotation(AdapterSide::outputs, base->outputs());
  return std::make_shared<Rotated>(std::move(base), std::move(inputs), std::move(outputs));
}

}  // namespace rankine::weights
