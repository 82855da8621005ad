#include "bench_linalg_report.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <span>

#include "bench_file.hpp"
#include "core/text_format.hpp"
#include "files/hdf5/result_file.hpp"
#include "files/output_file.hpp"
#include "linalg/blas.hpp"
#include "linalg/svd/slepc_session.hpp"

namespace rankine::bench {

using linalg::blas_library;
using linalg::blas_threads;
using linalg::slepc_version;

void Report::begin() const {
  if (world_.rank() == 0)
    fmt::print(
        "{}, {} each\n{:<14} {:<11} {:<8} {:>13} {:<12} {:>5} {:>9} "
        "{:>8} {:>9} {:>9} {:>9} {:>9}\n",
        counted(world_.size(), "rank"), counted(blas_threads(), "BLAS thread"), "task", "method",
        "type", "shape", "spectrum", "kept", "seconds", "GFlop/s", "of gemm", "error", "residual",
        "orthog.");
}

void Report::add(Row row) {
  if (world_.rank() == 0)
    fmt::print(
        "{:<14} {:<11} {:<8} {:>13} {:<12} {:>5} {:>9.4f} {:>8.1f} {:>9.2f} {:>9.1e} "
        "{:>9.1e} {:>9.1e}\n",
        row.task, row.method, row.type, fmt::format("{}x{}", row.rows, row.columns), row.spectrum,
        row.kept, row.seconds, row.gflops, row.gflops / row.gemm_gflops, row.value_error,
        row.residual, row.orthogonality);
  std::fflush(stdout);
  rows_.push_back(std::move(row));
}

void Report::write() const {
  write_file(
      world_, file_, [this] { write_csv(); }, [this] { write_hdf5(); });
}

void Report::write_csv() const {
  std::string csv =
      "task,method,type,spectrum,rows,columns,kept,ranks,threads,seconds,gflops,gemm_gflops,"
      "value_error,residual,orthogonality\n";
  for (const Row& row : rows_)
    csv += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", row.task, row.method,
                       row.type, row.spectrum, row.rows, row.columns, row.kept, world_.size(),
                       blas_threads(), row.seconds, row.gflops, row.gemm_gflops, row.value_error,
                       row.residual, row.orthogonality);
  files::write_atomically(file_, std::as_bytes(std::span(csv)));
}

void Report::write_hdf5() const {
  files::ResultFile file(
      file_, {.filetype = "rankine-bench-linalg",
              .format_version = 1,
              .program = "rankine-bench",
              .n_ranks = world_.size(),
              .threads = blas_threads(),
              .library_versions = {{"blas", blas_library()}, {"slepc", slepc_version()}}});
  const auto put = [&](const char* name, const auto& values, const char* what, const char* units) {
    file.write(fmt::format("/results/{}", name), values, {values.size()},
               {.long_name = what, .units = units, .dims = {"measurement"}});
  };
  put("task", column(&Row::task), "what was computed", "1");
  put("method", column(&Row::method), "SVD method", "1");
  put("type", column(&Row::type), "numbers", "1");
  put("spectrum", column(&Row::spectrum), "singular values", "1");
  put("rows", column(&Row::rows), "rows", "1");
  put("columns", column(&Row::columns), "columns", "1");
  put("kept", column(&Row::kept), "triplets kept", "1");
  put("seconds", column(&Row::seconds), "shortest time", "s");
  put("gflops", column(&Row::gflops), "nominal rate", "GFlop/s");
  put("gemm_gflops", column(&Row::gemm_gflops), "matrix-product rate of all ranks", "GFlop/s");
  put("value_error", column(&Row::value_error), "largest error of a singular value", "1");
  put("residual", column(&Row::residual), "|A V - U S| / |A|", "1");
  put("orthogonality", column(&Row::orthogonality), "largest element of Q^T Q - 1", "1");
  file.complete();
}

}  // namespace rankine::bench
