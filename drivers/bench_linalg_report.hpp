// What the linalg suite of rankine-bench measured: a table as it goes, a file in the end.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "parallel/communicator.hpp"

namespace rankine::bench {

struct Row {
  std::string task, method, type, spectrum;
  std::int64_t rows = 0, columns = 0, kept = 0;
  double seconds = 0;
  double gflops = 0;  ///< 1e9 nominal operations a second: 4 m n k of an SVD, 2 m n^2 of a QR
  double gemm_gflops = 0;
  double value_error =
      std::nan("");  ///< largest error of a singular value, relative to the largest
  double residual = std::nan("");
  double orthogonality = std::nan("");
};

/// Collective; rank 0 prints and writes.
class Report {
 public:
  Report(std::string file, const parallel::Communicator& world)
      : file_(std::move(file)), world_(world) {}

  void begin() const;
  void add(Row row);
  void write() const;

 private:
  void write_csv() const;

  template <class Member>
  auto column(Member member) const {
    std::vector<std::remove_cvref_t<decltype(rows_[0].*member)>> values;
    for (const Row& row : rows_) values.push_back(row.*member);
    return values;
  }

  void write_hdf5() const;

  std::string file_;
  const parallel::Communicator& world_;
  std::vector<Row> rows_;
};

}  // namespace rankine::bench
