// How long pieces of work take one rank of a job on a machine that is given as numbers: the terms
// that predictions of whole jobs are made of.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "run/machine.hpp"
#include "run/machine_model.hpp"

namespace rankine::run {

/// What matrices hold.
enum class Numbers { float32, float64, complex64, complex128 };

double bytes_of(Numbers numbers);

/// What a stage of a job takes. Flops of all ranks; seconds, bytes sent and messages of the slowest
/// one.
struct StageCost {
  std::string stage = {};
  double seconds = 0;
  double flops = 0;
  double bytes = 0;
  double messages = 0;

  StageCost& operator+=(const StageCost& other);
  StageCost times(double factor) const;
};

/// Where the ranks of a job lie on a machine: nodes are filled, each rank with a core for each of
/// its threads. `threads` 0: the cores of a node are shared out.
Machine place(const MachineModel& model, int ranks, int threads);

class Pace {
 public:
  Pace(const MachineModel& model, const Machine& where) : model_(model), where_(where) {}

  const Machine& where() const { return where_; }

  /// The same ranks with so many threads each.
  Pace with_threads(int threads) const;

  /// Seconds of so many flops in products whose smallest side is `size`; a complex multiplication
  /// and addition counts as eight.
  double product(double flops, double size, Numbers numbers) const;
  /// Of an m x n times n x k product, bound by memory where that is slower.
  double matrix_product(double m, double n, double k, Numbers numbers) const;
  /// Of an n x n matrix, all vectors.
  double svd(double n, Numbers numbers) const;
  double eigen(double n) const;
  /// `operations` counted as for an n x n SVD of float64.
  double svd_operations(double operations, double n) const;
  double convolution(double flops, Numbers numbers) const;
  /// Bytes of memory passed, read or written.
  double memory(double bytes) const;
  double exponentials(double count) const;
  double scalars(double count) const;
  double operations(double count) const;
  double bond_updates(double count) const;
  /// `count` amplitudes times gates.
  double amplitudes(double count, Numbers numbers) const;

  /// Messages between two ranks of a job, `ranks` of which take part.
  double message(double bytes, int ranks) const;
  /// All get the sum of `bytes` of numbers; one gives `bytes` to all; each gets `bytes`, the parts
  /// of all.
  double sum(double bytes, int ranks) const;
  double broadcast(double bytes, int ranks) const;
  double gather(double bytes, int ranks) const;

  double reading(double bytes) const;
  double writing(double bytes) const;
  double start(bool has_tensors) const;

 private:
  /// Cores' worth of a rank's threads, less than one where ranks share cores.
  double speed() const;
  /// A thread's share of its core.
  double share() const;
  double latency(int ranks) const;
  double link(int ranks) const;

  const MachineModel& model_;
  Machine where_;
};

/// The longest of so many loads when pieces of work are dealt, the largest first, each to the rank
/// that has least to do.
double dealt(std::vector<double> seconds, int ranks);

/// A line a stage and their sum, for people.
std::vector<std::string> lines(const std::vector<StageCost>& stages, const Machine& where);

double total_seconds(const std::vector<StageCost>& stages);

}  // namespace rankine::run
