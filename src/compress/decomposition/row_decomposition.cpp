#include "compress/decomposition/row_decomposition.hpp"

#include <algorithm>
#include <utility>

#include "compress/decomposition/decomposition_task.hpp"
#include "compress/decomposition/weighted_svd.hpp"
#include "parallel/agreement.hpp"
#include "weights/making/ridge.hpp"
#include "weights/rows/broadcast_tensor.hpp"
#include "weights/rows/exchange.hpp"
#include "weights/rows/product.hpp"

namespace rankine::compress {

using parallel::Communicator;
using parallel::Teams;
using torch::Tensor;

namespace {

/// Calls work(first, rows) for consecutive pieces of a matrix, in float64.
template <class Work>
void for_each_piece(const Tensor& matrix, Work&& work) {
  constexpr std::int64_t at_once = 4096;
  for (std::int64_t first = 0; first < matrix.size(0); first += at_once)
    work(first,
         matrix.narrow(0, first, std::min(at_once, matrix.size(0) - first)).to(torch::kFloat64));
}

/// Bases whose left one is W times n x k numbers.
class RowBases final : public Bases {
 public:
  RowBases(std::shared_ptr<const weights::Weight> weight, const Communicator& world,
           const Teams& teams, torch::ScalarType type, Tensor columns, Tensor right)
      : weight_(std::move(weight)),
        world_(world),
        teams_(teams),
        type_(type),
        columns_(std::move(columns)),
        right_(std::move(right)) {}

  Tensor left_rows(weights::RowRange wanted, std::int64_t kept_rank) const override {
    const Tensor rows = contributed_rows(*weight_, teams_, type_);
    const Tensor own = torch::empty({rows.size(0), kept_rank}, type_);
    const Tensor columns = columns_.narrow(1, 0, kept_rank);
    for_each_piece(rows, [&](std::int64_t first, const Tensor& piece) {
      own.narrow(0, first, piece.size(0)).copy_(weights::times(piece, columns));
    });
    return weights::exchange_rows(world_, own, contributed_range(*weight_, teams_), wanted);
  }
  Tensor right_rows(weights::RowRange wanted) const override {
    return right_.narrow(0, wanted.first, wanted.count).to(type_);
  }

 private:
  std::shared_ptr<const weights::Weight> weight_;
  const Communicator& world_;
  const Teams& teams_;
  torch::ScalarType type_;
  Tensor columns_;  ///< F^+ U, n x k, float64
  Tensor right_;    ///< U^T F, k x n, float64
};

/// W^T C W on all ranks; `counts`, the diagonal of C, may be undefined for 1.
Tensor sum_over_rows(const weights::Weight& weight, const Communicator& world, const Teams& teams,
                     const Tensor& counts, torch::ScalarType type) {
  const std::int64_t own_first = contributed_range(weight, teams).first;
  Tensor sum = torch::zeros({weight.inputs(), weight.inputs()}, torch::kFloat64);
  for_each_piece(contributed_rows(weight, teams, type), [&](std::int64_t first, const Tensor& w) {
    Tensor weighted = w;
    if (counts.defined())
      weighted = w * counts.narrow(0, own_first + first, w.size(0)).unsqueeze(1);
    sum.add_(weights::transposed_times(weighted, w));
  });
  weights::sum_in_place(world, {sum});
  return sum;
}

struct Components {
  Tensor columns, right;   ///< as RowBases has them
  Tensor singular_values;  ///< k, descending, float64
};

Components factorise(const Tensor& sum, const Tensor& inputs) {
  const auto [values, vectors] = torch::linalg_eigh(sum);
  const Tensor kept = values.gt(1e-14 * values.max()).nonzero().flatten();
  const Tensor roots = values.index_select(0, kept).sqrt();
  const Tensor v = vectors.index_select(1, kept);
  if (kept.numel() == 0) return {v, v.t().contiguous(), torch::empty({0}, torch::kFloat64)};
  const WeightedComponents found =
      weighted_svd(roots.unsqueeze(1) * v.t(), {.inputs = inputs, .outputs = {}}, torch::kFloat64);
  return {weights::times(v / roots, found.left), found.right,
          torch::tensor(found.singular_values, torch::kFloat64)};
}

/// Of one rank, on all of them.
Components broadcast(const Communicator& world, const Components& mine, int root) {
  const auto of_root = [&](const Tensor& tensor) {
    return weights::broadcast_tensor(world, tensor, torch::kFloat64, root);
  };
  return {of_root(mine.columns), of_root(mine.right), of_root(mine.singular_values)};
}

}  // namespace

WeightFactors decompose_by_rows(std::string name, std::shared_ptr<const weights::Weight> weight,
                                const Communicator& world, const Teams& teams,
                                const ErrorNorm& norm, std::size_t w) {
  constexpr int root = 0;
  const torch::NoGradGuard no_gradients;
  const torch::ScalarType type = weight->own_rows().scalar_type();
  bool has_errors = true;
  const auto raised = [&](const Tensor& moment, double ridge) {
    const Tensor positive = weights::made_positive(moment, ridge, type);
    has_errors = has_errors && positive.defined();
    return positive;
  };
  Tensor counts, inputs;
  if (!norm.output_moments.empty())
    counts = raised(norm.output_moments[w].diagonal(world), norm.ridge);
  if (norm.inputs != InputWeighting::none)
    inputs = norm.input_moments.moments[norm.input_moments.of_weight[w]].assemble_on(world, root);
  const Tensor sum = sum_over_rows(*weight, world, teams, counts, type);
  const Components mine = parallel::agree_on_failure(world, [&] {
    if (world.rank() != root) return Components();
    if (inputs.defined()) inputs = raised(inputs, norm.input_ridge);
    Components found = factorise(sum, inputs);
    if (!has_errors) found.singular_values.zero_();
    return found;
  });
  const Components all = broadcast(world, mine, root);
  const double* const values = all.singular_values.data_ptr<double>();
  WeightFactors factors{.name = std::move(name),
                        .bases = std::make_shared<RowBases>(std::move(weight), world, teams, type,
                                                            all.columns, all.right),
                        .singular_values = {values, values + all.singular_values.numel()}};
  return factors;
}

}  // namespace rankine::compress
