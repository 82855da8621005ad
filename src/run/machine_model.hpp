// A machine as numbers: what jobs are predicted on, read from a TOML file (inputs/machines).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "deck/schema.hpp"

namespace rankine::run {

/// Of one core; curves have a rate for each of the sizes.
struct ProductRates {
  std::vector<std::int64_t> sizes{4, 16, 64, 256, 1024};  ///< of the smaller sides
  std::vector<double> float32{10, 30, 60, 80, 90};        ///< GFlop/s
  std::vector<double> float64{5, 15, 30, 40, 45};
  std::vector<double> complex64{10, 30, 60, 80, 90};
  std::vector<double> complex128{5, 15, 30, 40, 45};
};

/// Singular value decompositions of n x n matrices, counted as 8 n^3 operations (32 n^3 of complex
/// numbers), and eigenproblems, counted as 4 n^3.
struct DecompositionRates {
  std::vector<std::int64_t> sizes{4, 16, 64, 256, 1024};
  std::vector<double> svd_float64{0.2, 0.8, 2, 4, 6};
  std::vector<double> svd_complex64{0.4, 2, 5, 10, 15};
  std::vector<double> svd_complex128{0.3, 1.5, 3, 6, 9};
  std::vector<double> eigen_float64{0.1, 0.5, 2, 5, 8};
};

struct NodeOptions {
  std::int64_t nodes = 1;
  std::int64_t cores = 1;          ///< of a node
  double memory = 16;              ///< GiB of a node
  double core_bandwidth = 10;      ///< GB/s of memory, of one core alone
  double bandwidth = 20;           ///< GB/s of a node
  double thread_efficiency = 0.8;  ///< of every thread of a rank beyond the first
};

struct MessageOptions {
  double node_latency = 1;      ///< microseconds between ranks of a node
  double node_bandwidth = 5;    ///< GB/s
  double latency = 2;           ///< microseconds between nodes
  double bandwidth = 10;        ///< GB/s of a node's link
  double turn_latency = 50;     ///< microseconds, where ranks wait for a core
};

struct FileOptions {
  double read_bandwidth = 1;   ///< GB/s of all ranks together
  double write_bandwidth = 1;  ///< GB/s
};

/// What small work takes, whatever its size, and single numbers.
struct SoftwareOptions {
  double start = 0.5;          ///< seconds from command to end of a program that does nothing
  double start_tensors = 0.5;  ///< seconds of a core to load libtorch, of every rank
  double start_rank = 0.1;     ///< seconds for every doubling of the ranks
  double bond_update = 10;     ///< microseconds of an update of a small bond, of both ends
  double operation = 5;        ///< microseconds of an operation of libtorch
  double convolution = 30;     ///< GFlop/s of convolutions in float32, one core
  double exponential = 1;      ///< nanoseconds
  double scalar = 3;           ///< nanoseconds of a step of scalar code: sorting, comparing
  double amplitude = 1;        ///< nanoseconds of a gate on an amplitude of a state vector
};

struct MachineModel {
  std::string title = {};
  NodeOptions node = {};
  ProductRates products = {};
  DecompositionRates decompositions = {};
  MessageOptions messages = {};
  FileOptions files = {};
  SoftwareOptions software = {};
};

/// Declares what a machine file holds.
void declare_keywords(deck::Schema& schema, MachineModel& machine);

/// Throws InputError with all problems and their lines.
MachineModel read_machine(const std::string& path);

/// The text of the file, each value with its unit and what it means.
std::string machine_text(const MachineModel& machine);

}  // namespace rankine::run
