// Circuits of gates around an operator: a planted one is found again, and what every sweep does.
#include <gtest/gtest.h>

#include <cmath>

#include "core/errors.hpp"
#include "forms_testing.hpp"
#include "weights/making/disentangling.hpp"
#include "weights/making/gate_sweep.hpp"
#include "weights/making/operator_core.hpp"
#include "weights/making/weighted_disentangling.hpp"
#include "weights/rows/block_exchange.hpp"

namespace rankine::weights {
namespace {

using torch::Tensor;

/// As if there were one rank.
const parallel::Communicator& self() {
  static const parallel::Communicator alone = world().split(world().rank(), 0);
  return alone;
}

/// Orthogonal gates near the identity or far from it.
std::vector<Tensor> random_gates(const std::vector<BlockLayout>& layouts, double size, int seed) {
  std::vector<Tensor> gates;
  for (const BlockLayout& layout : layouts) {
    const Tensor a = size * random_matrix(layout.size, layout.size, seed++);
    gates.push_back(at::linalg_matrix_exp(a - a.t()).contiguous());
  }
  return gates;
}

/// U_L M U_R with M of this bond dimension.
Tensor planted(const MatrixShape& shape, const BrickworkShape& circuit, std::int64_t bond,
               double size) {
  const CutLegs rows = cut_legs(shape.rows), columns = cut_legs(shape.columns);
  const SidesOfGates gates = gates_on(shape, circuit);
  const auto side = [&](const std::vector<BlockLayout>& layouts, int seed) {
    return circuit_of(layouts, random_gates(layouts, size, seed), torch::kFloat64);
  };
  const Disentangled weight(self(), RowSplit::even(shape.rows, 1),
                            {random_matrix(rows.first * columns.first, bond, 1)
                                 .view({1, rows.first, columns.first, bond}),
                             random_matrix(bond, rows.second * columns.second, 2)
                                 .view({bond, rows.second, columns.second, 1})},
                            side(gates.outputs, 100), side(gates.inputs, 200));
  return weight.own_rows();
}

std::unique_ptr<Disentangled> disentangle(const parallel::Communicator& team, const Tensor& w,
                                          const DisentanglingOptions& options,
                                          DisentanglingReport& report) {
  const RowSplit split = RowSplit::even(w.size(0), team.size());
  return make_disentangled(team, split,
                           w.narrow(0, split.first(team.rank()), split.count(team.rank())), options,
                           &report);
}

void expect_never_to_fall(const std::vector<double>& overlaps) {
  for (std::size_t i = 1; i < overlaps.size(); ++i)
    EXPECT_GE(overlaps[i], overlaps[i - 1] - 1e-13) << "sweep " << i;
}

TEST(Disentangled, FindsPlantedCircuitsAgain) {
  const MatrixShape shape{64, 48};
  const BrickworkShape circuit{.gate_legs = 2, .depth = 2};
  for (const double size : {0.3, 1.0})
    for (const DisentanglingStart start :
         {DisentanglingStart::identity, DisentanglingStart::purity}) {
      const Tensor w = planted(shape, circuit, 4, size);
      DisentanglingReport report;
      const auto weight = disentangle(
          world(), w, {.circuit = circuit, .bond_dimension = 4, .sweeps = 260, .start = start},
          report);
      EXPECT_LT(report.overlap_alone, 0.9);
      EXPECT_GT(report.overlaps.back(), 1 - 1e-10);
      EXPECT_LT(*report.entropy, *report.entropy_alone - 0.5);
      EXPECT_LT(distance(whole_of(*weight), w), 1e-5);
      expect_never_to_fall(report.overlaps);
      if (start == DisentanglingStart::purity)
        EXPECT_GT(report.overlaps.front(), report.overlap_alone);
    }
}

TEST(Disentangled, IsTheSameOnAnyNumberOfRanks) {
  const Tensor w = random_matrix(48, 64, 3);
  for (const OddLeg odd_leg : {OddLeg::apart, OddLeg::included})
    for (const int legs : {1, 2, 3}) {
      const DisentanglingOptions options{
          .circuit = {.gate_legs = legs, .depth = 3, .odd_leg = odd_leg},
          .bond_dimension = 9,
          .sweeps = 4,
          .start = DisentanglingStart::purity};
      DisentanglingReport here, alone;
      const auto weight = disentangle(world(), w, options, here);
      const auto expected = disentangle(self(), w, options, alone);
      EXPECT_LT(distance(whole_of(*weight), expected->own_rows()), 1e-8);
      ASSERT_EQ(here.overlaps.size(), alone.overlaps.size());
      for (std::size_t i = 0; i < here.overlaps.size(); ++i)
        EXPECT_NEAR(here.overlaps[i], alone.overlaps[i], 1e-10);
      EXPECT_NEAR(*here.entropy, *alone.entropy, 1e-9);
      expect_never_to_fall(here.overlaps);
      // What is reported is what the weight has.
      const Tensor found = expected->own_rows();
      EXPECT_NEAR((found * w).sum().item<double>() / (found.norm() * w.norm()).item<double>(),
                  here.overlaps.back(), 1e-10);
      EXPECT_EQ(weight->stored_numbers(), disentangled_core_numbers({48, 64}, 2, 9) +
                                              gate_numbers_on({48, 64}, options.circuit));
    }
}

TEST(Disentangled, IsAnOperatorAloneWithoutSweeps) {
  const Tensor w = random_matrix(12, 16, 4);
  DisentanglingReport report;
  const auto weight = disentangle(
      world(), w, {.circuit = {.gate_legs = 2, .depth = 1}, .bond_dimension = 5, .sweeps = 0},
      report);
  // 12 = 3 x 4, 16 = 4 x 4.
  const Tensor cut = w.view({3, 4, 4, 4}).transpose(1, 2).reshape({12, 16});
  const Tensor values = at::linalg_svdvals(cut).square();
  const double kept = (values.narrow(0, 0, 5).sum() / values.sum()).item<double>();
  EXPECT_NEAR(report.overlap_alone, std::sqrt(kept), 1e-12);
  const Tensor parts = values / values.sum();
  EXPECT_NEAR(*report.entropy, -(parts * parts.log()).sum().item<double>(), 1e-10);
  EXPECT_EQ(weight->kept_rank(), 5);
}

TEST(Disentangled, InSinglePrecisionKeepsAsMuch) {
  const Tensor w = random_matrix(48, 64, 3);
  const DisentanglingOptions options{
      .circuit = {.gate_legs = 3, .depth = 3}, .bond_dimension = 9, .sweeps = 4};
  DisentanglingReport single, twice;
  const auto weight = disentangle(world(), w.to(torch::kFloat32), options, single);
  disentangle(world(), w, options, twice);
  EXPECT_NEAR(single.overlaps.back(), twice.overlaps.back(), 1e-5);
  const Tensor found = whole_of(*weight).to(torch::kFloat64);
  EXPECT_NEAR((found * w).sum().item<double>() / (found.norm() * w.norm()).item<double>(),
              single.overlaps.back(), 1e-6);
}

TEST(Disentangled, RefusesWhatHasNoOverlap) {
  DisentanglingReport report;
  const DisentanglingOptions options{.circuit = {.gate_legs = 2, .depth = 1}};
  EXPECT_THROW(disentangle(world(), torch::zeros({8, 8}, torch::kFloat64), options, report),
               NumericalError);
  EXPECT_THROW(disentangle(world(), torch::full({8, 8}, NAN, torch::kFloat64), options, report),
               NumericalError);
}

TEST(Disentangled, InTheNormOfMomentsIsNeverWorseThanInThePlainOne) {
  const Tensor w = random_matrix(24, 32, 3);
  const auto moment = [](std::int64_t size, int seed) {
    const Tensor factor = random_matrix(size, size, seed) *
                          torch::linspace(0.1, 3, size, torch::kFloat64).unsqueeze(1);
    return factor.mm(factor.t()).contiguous();
  };
  for (const MomentNorm& norm : {MomentNorm{moment(32, 4), {}}, {moment(32, 4), moment(24, 5)}})
    for (const int steps : {0, 30}) {
      DisentanglingReport report;
      const auto weight = disentangle(
          self(), w, {.circuit = {.gate_legs = 2, .depth = 2}, .bond_dimension = 6, .sweeps = 3},
          report);
      const double plain = std::sqrt(norm.squared(w - weight->own_rows()));
      const std::vector<double> errors =
          improve_in_norm(w, norm, {.sweeps = 3, .gradient_steps = steps}, *weight);
      EXPECT_NEAR(errors.front(), plain, 1e-9 * plain);
      for (std::size_t i = 1; i < errors.size(); ++i)
        EXPECT_LE(errors[i], errors[i - 1] * (1 + 1e-12));
      EXPECT_LT(errors.back(), 0.9 * errors.front());
      EXPECT_NEAR(errors.back(), std::sqrt(norm.squared(w - weight->own_rows())), 1e-9 * plain);
    }
}

TEST(Gates, TakeTurnsOnTheLegsOfAnAxis) {
  const auto places = [](const std::vector<BlockLayout>& gates) {
    std::vector<std::pair<std::int64_t, std::int64_t>> all;
    for (const BlockLayout& gate : gates) all.emplace_back(gate.size, gate.stride);
    return all;
  };
  using Places = std::vector<std::pair<std::int64_t, std::int64_t>>;
  // 576 = 18 x 32: the cut is in the middle of the topmost pair.
  EXPECT_EQ(places(brickwork({.gate_legs = 2, .depth = 2}, 576)),
            (Places{{4, 1}, {4, 4}, {4, 16}, {4, 2}, {4, 8}}));
  // 4096 = 64 x 64: pairs from the first leg on leave the cut alone, so others begin.
  EXPECT_EQ(places(brickwork({.gate_legs = 2, .depth = 1}, 4096)),
            (Places{{4, 2}, {4, 8}, {4, 32}, {4, 128}, {4, 512}}));
  // One gate on all legs is not repeated; with the odd leg there are two, that nearer to the cut
  // first.
  EXPECT_EQ(places(brickwork({.gate_legs = 6, .depth = 4}, 576)), (Places{{64, 1}}));
  EXPECT_EQ(places(brickwork({.gate_legs = 6, .depth = 2, .odd_leg = OddLeg::included}, 576)),
            (Places{{288, 2}, {64, 1}}));
  EXPECT_FALSE(has_room({.gate_legs = 7}, 576));
  EXPECT_TRUE(has_room({.gate_legs = 7, .odd_leg = OddLeg::included}, 576));
  EXPECT_FALSE(has_room({.gate_legs = 7, .odd_leg = OddLeg::included}, 64));
  EXPECT_EQ(gate_numbers(brickwork({.gate_legs = 2, .depth = 2}, 576)), 5 * 6);
}

TEST(Gates, AreTheBestOneByOne) {
  // Of one gate the best is known: another pass leaves it, and no rotation near it is better.
  const Tensor a = random_matrix(16, 10, 5), b = random_matrix(16, 10, 6);
  const BlockLayout layout{16, 4, 2};
  GateSweep sweep(self(), {layout});
  Tensor left = a.clone(), right = b.clone();
  sweep.outward(left, right);
  const double best = (left * right).sum().item<double>();
  EXPECT_TRUE(torch::equal(left, a));
  EXPECT_TRUE(torch::allclose(right, apply_blocks_to_rows(b, sweep.gates()[0].unsqueeze(0), layout),
                              1e-13, 1e-13));
  for (const Tensor& near : random_gates({layout, layout, layout, layout}, 0.05, 7)) {
    const Tensor moved = apply_blocks_to_rows(right, near.unsqueeze(0), layout);
    EXPECT_LT((left * moved).sum().item<double>(), best);
  }
  sweep.inward(left, right);
  EXPECT_TRUE(torch::allclose(right, b, 1e-12, 1e-12));
  EXPECT_NEAR((left * right).sum().item<double>(), best, 1e-11);
}

TEST(BlockExchange, GoesFromRowsToColumnsAndBack) {
  const Tensor whole = random_matrix(7, 10, 8);
  const RowSplit rows = RowSplit::even(7, world().size()),
                 columns = RowSplit::even(10, world().size(), 5);
  const Tensor own = columns_of_rows(world(), own_part(whole, rows), rows, columns);
  const int rank = world().rank();
  EXPECT_TRUE(torch::equal(own, whole.narrow(1, columns.first(rank), columns.count(rank))));
  EXPECT_TRUE(torch::equal(rows_of_columns(world(), own, rows, columns), own_part(whole, rows)));
}

}  // namespace
}  // namespace rankine::weights
