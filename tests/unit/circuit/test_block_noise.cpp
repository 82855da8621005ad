// What is read from a block that a noisy circuit rotates.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "circuit/block_noise.hpp"
#include "circuit/noisy_circuit.hpp"
#include "circuit/synthesis.hpp"
#include "random_unitary.hpp"

namespace rankine::circuit {
namespace {

TEST(BlockNoise, WithoutNoiseAndWithAllShotsABlockIsExact) {
  for (int qubits = 0; qubits <= 6; ++qubits) {
    const BlockReadout exact = read_block(qubits, 0, 0, 0);
    EXPECT_EQ(exact.contrast, 1);
    EXPECT_EQ(exact.deviation, 0);
  }
  const SquareMatrix rotation = random_unitary(8, Entries::real, 1);
  const std::vector<double> row = noisy_row(rotation, synthesise(rotation), 0, 5);
  for (int k = 0; k < 8; ++k) EXPECT_NEAR(row[k], rotation(5, k).real(), 1e-12);
}

TEST(BlockNoise, CountsTheGatesOfRotations) {
  const int gates[] = {0, 0, 2, 20, 100, 444, 1868};
  for (int qubits = 0; qubits <= 6; ++qubits)
    EXPECT_EQ(read_block(qubits, 0.5, 0, 1).two_qubit_gates, gates[qubits]);
}

double contrast_of_row(const SquareMatrix& rotation, const Step& gates, double error_rate,
                       int row) {
  const std::vector<double> noisy = noisy_row(rotation, gates, error_rate, row);
  double sum = 0;
  for (int k = 0; k < rotation.size(); ++k) sum += noisy[k] * rotation(row, k).real();
  return sum;
}

/// The mean over rows of a few rotations, by density matrices.
double exact_contrast(int qubits, double error_rate, double distance_from_identity) {
  const int n = 1 << qubits, rotations = qubits < 5 ? 4 : 1, rows = qubits < 6 ? 4 : 1;
  double mean = 0;
  for (int seed = 0; seed < rotations; ++seed) {
    const SquareMatrix rotation = near_identity(n, Entries::real, distance_from_identity, seed);
    const Step gates = synthesise(rotation);
    for (int row = 0; row < rows; ++row)
      mean += contrast_of_row(rotation, gates, error_rate, row * (n / rows)) / (rows * rotations);
  }
  return mean;
}

TEST(BlockNoise, ContrastIsThatOfDensityMatricesForRandomBlocksAndThoseNearTheIdentity) {
  for (int qubits = 2; qubits <= 6; ++qubits)
    for (double error_rate : {3e-4, 3e-3})
      for (double distance_from_identity : {0.01, 100.0})
        EXPECT_NEAR(read_block(qubits, error_rate, 0, 0).contrast,
                    exact_contrast(qubits, error_rate, distance_from_identity), 0.03)
            << qubits << " qubits, " << error_rate << ", " << distance_from_identity;
}

TEST(BlockNoise, OnTwoQubitsContrastIsExact) {
  for (double error_rate : {1e-3, 0.1, 1.0})
    EXPECT_NEAR(read_block(2, error_rate, 0, 0).contrast, exact_contrast(2, error_rate, 100),
                1e-12);
}

TEST(BlockNoise, ContrastOfARowIsHowOftenATrajectoryFromThatRowEndsThere) {
  const int n = 8, row = 3, trajectories = 4000;
  const SquareMatrix rotation = random_unitary(n, Entries::real, 2);
  const Step gates = synthesise(rotation);
  std::vector<Complex> start(n);
  for (int k = 0; k < n; ++k) start[k] = rotation(row, k);
  RandomStream random{21};
  double mean = 0, square = 0;
  for (int t = 0; t < trajectories; ++t) {
    const double end = std::norm(run_trajectory(gates, 0.02, start, random)[row]);
    mean += end / trajectories, square += end * end / trajectories;
  }
  EXPECT_NEAR(contrast_of_row(rotation, gates, 0.02, row), mean,
              3 * std::sqrt((square - mean * mean) / trajectories));
}

TEST(BlockNoise, ReadoutErrorsTakeFromTheContrast) {
  const BlockReadout clean = read_block(4, 1e-3, 0, 1000), noisy = read_block(4, 1e-3, 0.1, 1000);
  EXPECT_NEAR(noisy.contrast, 0.8 * std::pow(0.9, 4) * clean.contrast, 1e-15);
  EXPECT_EQ(read_block(4, 1e-3, 0.5, 1000).contrast, 0);
  EXPECT_NEAR(read_block(4, 1e-3, 0.5, 1000).deviation, 1 / std::sqrt(1000.0), 1e-15);
}

/// Reads a block as the device does: shot by shot, a reference for each, ancilla and index.
std::vector<double> read_by_shots(const std::vector<double>& y, int shots, double readout_error,
                                  RandomStream& random) {
  const std::size_t n = y.size();
  std::vector<double> read(n);
  for (int shot = 0; shot < shots; ++shot) {
    const std::size_t reference = random.below(n);
    const auto sign = [&](std::size_t k) {
      return std::popcount(reference & k) % 2 == 0 ? 1.0 : -1.0;
    };
    double left = random.uniform();
    std::size_t outcome = 0;  // 2 index + ancilla
    for (; outcome + 1 < 2 * n; ++outcome) {
      const double u = sign(outcome / 2) / std::sqrt(static_cast<double>(n));
      const double amplitude = (y[outcome / 2] + (outcome % 2 == 0 ? u : -u)) / 2;
      if ((left -= amplitude * amplitude) < 0) break;
    }
    for (std::size_t bit = 1; bit < 2 * n; bit *= 2)
      if (random.uniform() < readout_error) outcome ^= bit;
    read[outcome / 2] +=
        sign(outcome / 2) * (outcome % 2 == 0 ? 1 : -1) * std::sqrt(static_cast<double>(n)) / shots;
  }
  return read;
}

TEST(BlockNoise, ShotsScatterAsPredicted) {
  const int qubits = 3, shots = 100, repetitions = 4000;
  const double readout_error = 0.05;
  const SquareMatrix rotation = random_unitary(8, Entries::real, 5);
  std::vector<double> y(8);
  for (int k = 0; k < 8; ++k) y[k] = rotation(0, k).real();
  const BlockReadout predicted = read_block(qubits, 0, readout_error, shots);
  RandomStream random{22};
  double contrast = 0, variance = 0;
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    const std::vector<double> read = read_by_shots(y, shots, readout_error, random);
    for (int k = 0; k < 8; ++k) {
      contrast += read[k] * y[k] / repetitions;
      variance += std::pow(read[k] - predicted.contrast * y[k], 2) / (8 * repetitions);
    }
  }
  // The mean of y read, of standard deviation `deviation` in each repetition.
  EXPECT_NEAR(contrast, predicted.contrast, 3 * predicted.deviation / std::sqrt(repetitions));
  EXPECT_NEAR(std::sqrt(variance), predicted.deviation, 0.02 * predicted.deviation);
}

}  // namespace
}  // namespace rankine::circuit
