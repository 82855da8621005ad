// A dense weight over row blocks: products, look-ups and their gradients against whole matrices,
// and the way to a checkpoint and back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "../../mpi_world.hpp"
#include "core/errors.hpp"
#include "parallel/agreement.hpp"
#include "weights/forms/dense.hpp"
#include "weights/rows/exchange.hpp"
#include "weights/rows/tensor_errors.hpp"

namespace rankine::weights {
namespace {

using torch::Tensor;

constexpr std::int64_t inputs = 7;

/// A matrix that all ranks know, and the weight that shares it.
struct Shared {
  Tensor whole;
  Dense weight;

  static Tensor make(std::int64_t rows) {
    torch::manual_seed(rows);
    return torch::randn({rows, inputs}, torch::kFloat64);
  }
  static Tensor own(const Tensor& whole, const RowSplit& split) {
    return whole.narrow(0, split.first(world().rank()), split.count(world().rank())).clone();
  }
  explicit Shared(std::int64_t rows, std::int64_t unit = 1)
      : whole(make(rows)),
        weight(world(), RowSplit::even(rows, world().size(), unit),
               own(whole, RowSplit::even(rows, world().size(), unit))) {}
};

// More ranks than rows; uneven; units that leave ranks without rows.
const std::vector<std::pair<std::int64_t, std::int64_t>> row_counts{
    {1, 1}, {3, 1}, {10, 1}, {8, 4}};

TEST(Dense, ForwardAndGradientsEqualTheWholeMatrix) {
  for (const auto& [rows, unit] : row_counts) {
    const Shared shared(rows, unit);
    torch::manual_seed(3);
    const Tensor x = torch::randn({5, inputs}, torch::kFloat64).requires_grad_(true);
    const Tensor factor = torch::randn({5, rows}, torch::kFloat64);
    const Tensor w = shared.whole.clone().requires_grad_(true);
    const Tensor expected = x.matmul(w.t());
    const auto gradients = torch::autograd::grad({(expected.tanh() * factor).sum()}, {x, w});

    Tensor own = shared.weight.own_rows().requires_grad_(true);
    const Tensor y = gather_columns(world(), shared.weight.forward(share_input(world(), x)),
                                    shared.weight.split(), Gradient::same);
    EXPECT_TRUE(torch::allclose(y, expected, 1e-13, 1e-13));
    (y.tanh() * factor).sum().backward();
    EXPECT_TRUE(torch::allclose(x.grad(), gradients[0], 1e-12, 1e-12));
    EXPECT_TRUE(torch::allclose(own.grad(), Shared::own(gradients[1], shared.weight.split()), 1e-12,
                                1e-12));
  }
}

TEST(Dense, SharesOfAGatheredActivationAddUp) {
  for (const auto& [rows, unit] : row_counts) {
    const Shared shared(rows, unit);
    const RowSplit next = RowSplit::even(6, world().size());
    torch::manual_seed(4);
    const Tensor second = torch::randn({6, rows}, torch::kFloat64);
    const Tensor x = torch::randn({5, inputs}, torch::kFloat64).requires_grad_(true);
    const Tensor expected = x.matmul(shared.whole.t()).sin().matmul(second.t()).cos().sum();
    const Tensor gradient = torch::autograd::grad({expected}, {x})[0];

    const Dense last(world(), next, Shared::own(second, next));
    const Tensor own = shared.weight.forward(share_input(world(), x)).sin();
    const Tensor inner = gather_columns(world(), own, shared.weight.split(), Gradient::shares);
    const Tensor y = gather_columns(world(), last.forward(inner), next, Gradient::same);
    y.cos().sum().backward();
    EXPECT_TRUE(torch::allclose(x.grad(), gradient, 1e-12, 1e-12));
  }
}

TEST(Dense, LookUpsGiveTheRowsOfTheWholeMatrix) {
  for (const auto& [rows, unit] : row_counts) {
    const Shared shared(rows, unit);
    const Tensor ids = torch::tensor({rows - 1, std::int64_t{0}, rows / 2, rows - 1});
    Tensor own = shared.weight.own_rows().requires_grad_(true);
    const Tensor found = sum_over_ranks(world(), shared.weight.look_up(ids));
    EXPECT_TRUE(torch::equal(found.detach(), shared.whole.index_select(0, ids)));
    found.sum().backward();
    Tensor counts = torch::zeros({rows, inputs}, torch::kFloat64);
    counts.index_add_(0, ids, torch::ones({4, inputs}, torch::kFloat64));
    if (own.grad().defined())
      EXPECT_TRUE(torch::equal(own.grad(), Shared::own(counts, shared.weight.split())));
  }
}

TEST(Dense, ComesBackFromACheckpoint) {
  const auto folder = std::filesystem::path(world().broadcast(
      (std::filesystem::temp_directory_path() / ("rankine_dense_" + std::to_string(getpid())))
          .string(),
      0));
  const Shared shared(10);
  {
    files::SafetensorsWriter writer(world(), folder,
                                    shared.weight.plan("a.b", files::DataType::float32));
    shared.weight.write(writer, "a.b");
    writer.complete();
  }
  {
    const files::SafetensorsReader reader(world(), folder);
    const auto back =
        Dense::read(world(), {reader, "a.b", inputs, shared.weight.split(), torch::kFloat32});
    EXPECT_TRUE(torch::equal(back->own_rows(), shared.weight.own_rows().to(torch::kFloat32)));
    EXPECT_EQ(back->stored_numbers(), 70);
    EXPECT_EQ(back->stored_bytes(), 280);
    EXPECT_THROW(
        Dense::read(world(), {reader, "a.b", inputs + 1, shared.weight.split(), torch::kFloat32}),
        InputError);
  }
  world().barrier();
  if (world().rank() == 0) std::filesystem::remove_all(folder);
}

TEST(TensorErrors, AreToldWithoutFrames) {
  translate_tensor_errors();
  const auto expect = [](ExitCode code, const std::string& words,
                         const std::function<void()>& work) {
    try {
      parallel::agree_on_failure(world(), [&] {
        if (world().rank() == 0) work();
      });
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_THAT(error.what(), testing::HasSubstr(words));
      EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("frame #")));
      EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("Exception raised")));
    }
  };
  expect(ExitCode::resource, "Out of memory", [] { torch::empty({std::int64_t{1} << 58}); });
  expect(ExitCode::numerical, "a factorisation failed",
         [] { at::linalg_cholesky(-torch::eye(3, torch::kFloat64)); });
  expect(ExitCode::library, "libtorch failed", [] {
    torch::matmul(torch::zeros({2, 3}), torch::zeros({2, 3}));
  });
}

}  // namespace
}  // namespace rankine::weights
