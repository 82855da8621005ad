// What is read from a block that a noisy circuit rotates.
#include <gtest/gtest.h>

#include <cmath>

#include "circuit/block_noise.hpp"

namespace rankine::circuit {
namespace {

TEST(BlockNoise, ABlockTakesTheQubitsWhoseAmplitudesHoldIt) {
  EXPECT_EQ(block_qubits(1), 0);
  EXPECT_EQ(block_qubits(2), 1);
  EXPECT_EQ(block_qubits(24), 5);
  EXPECT_EQ(block_qubits(64), 6);
}

TEST(BlockNoise, GatesAreThoseOfTheQuantumShannonDecomposition) {
  const int gates[] = {0, 0, 2, 20, 100, 444, 1868};
  for (int qubits = 0; qubits <= 6; ++qubits) EXPECT_EQ(block_gates(qubits), gates[qubits]);
}

TEST(BlockNoise, WithoutNoiseAndWithAllShotsABlockIsExact) {
  for (int qubits = 0; qubits <= 6; ++qubits) {
    const BlockReadout exact = read_block(qubits, 0, 0, 0);
    EXPECT_EQ(exact.contrast, 1);
    EXPECT_EQ(exact.deviation, 0);
  }
}

TEST(BlockNoise, AReadoutErrorTakesFromTheContrastAndAddsNothingToTheShots) {
  const BlockReadout clean = read_block(4, 1e-3, 0, 1000), flipped = read_block(4, 1e-3, 0.1, 1000);
  EXPECT_NEAR(flipped.contrast, 0.8 * clean.contrast, 1e-15);
  EXPECT_EQ(read_block(4, 1e-3, 0.5, 1000).contrast, 0);
  EXPECT_NEAR(read_block(4, 1e-3, 0.5, 1000).deviation, 1 / std::sqrt(1000.0), 1e-15);
}

}  // namespace
}  // namespace rankine::circuit
