#include "bench_linalg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "bench_linalg_report.hpp"
#include "bench_memory.hpp"
#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"
#include "core/timer.hpp"
#include "files/output_file.hpp"
#include "linalg/blas.hpp"
#include "linalg/distributed/dist_blas.hpp"
#include "linalg/distributed/dist_factorisations.hpp"
#include "linalg/distributed/redistribute.hpp"
#include "linalg/svd/cost_model.hpp"
#include "linalg/svd/slepc_session.hpp"
#include "linalg/svd/svd.hpp"

namespace rankine::bench {

using namespace linalg;

void declare_keywords(deck::Schema& schema, LinalgBenchOptions& options) {
  auto section = schema.section("bench", "What is measured.");
  section.keyword("shapes", options.shapes)
      .allow_empty()
      .describe("Matrices to factorise, such as \"1536x576\".");
  section.keyword("tall_shapes", options.tall_shapes)
      .allow_empty()
      .describe(
          "Matrices of the suite's tall QR (single precision) and the whitened SVD after it.");
  section.keyword("methods", options.methods)
      .allow_empty()
      .choices(svd_method_names())
      .describe(
          "SVD methods; a Krylov method is measured only where a part of the triplets is "
          "wanted.");
  section.keyword("spectra", options.spectra)
      .choices({"flat", "algebraic", "exponential", "low-rank"})
      .describe(
          "Singular values: between 1 and 1/2; 1/k; 1 to 1e-14; 32 large ones above noise of "
          "1e-6.");
  section.keyword("types", options.types)
      .choices({"float64", "float32"})
      .describe("Numbers of the matrices.");
  section.keyword("ranks_kept", options.ranks_kept)
      .range(0, 1000000)
      .describe("Leading triplets wanted; 0 for all.");
  section.keyword("repeats", options.repeats)
      .range(1, 1000)
      .describe("Repeats; the shortest time counts.");
  section.keyword("warm_up", options.warm_up)
      .range(0, 1000)
      .describe("Runs before those that count.");
  section.keyword("check", options.check)
      .describe(
          "Compute residual and orthogonality of every result, and fail when one is too large.");
  section.keyword("calibrate", options.calibrate)
      .describe("Also measure the rates of the cost model and print them as a [linalg] section.");
  section.keyword("file", options.file)
      .describe("Result file, HDF5 or, with the ending .csv, CSV; empty for none.");
  linalg::declare_keywords(schema, options.linalg);
}

namespace {

template <class Work>
double shortest(const LinalgBenchOptions& options, const parallel::Communicator& ranks,
                const Work& work) {
  double best = std::numeric_limits<double>::infinity();
  for (std::int64_t k = 0; k < options.warm_up + options.repeats; ++k) {
    ranks.barrier();
    const Stopwatch watch;
    work();
    const double seconds = ranks.max(watch.seconds());
    if (k >= options.warm_up) best = std::min(best, seconds);
  }
  return best;
}

std::pair<std::int64_t, std::int64_t> shape(const std::string& text) {
  constexpr int longest = std::numeric_limits<int>::max();  // the libraries count in 32 bits
  int m = 0, n = 0;
  const char* last = text.data() + text.size();
  const auto rows = std::from_chars(text.data(), last, m);
  const bool has_rows = rows.ec == std::errc() && rows.ptr != last && *rows.ptr == 'x';
  const auto columns = has_rows ? std::from_chars(rows.ptr + 1, last, n) : rows;
  if (!has_rows || columns.ec != std::errc() || columns.ptr != last || m < 1 || n < 1)
    throw InputError(
        fmt::format("bench: \"{}\" is no shape. Write rows x columns, each from 1 to {}: "
                    "\"1536x576\".",
                    text, longest));
  return {m, n};
}

double singular_value(const std::string& spectrum, std::int64_t k, std::int64_t count) {
  const auto x = static_cast<double>(k), n = static_cast<double>(count);
  if (spectrum == "flat") return 1 - 0.5 * x / n;
  if (spectrum == "algebraic") return 1 / (1 + x);
  if (spectrum == "exponential") return std::pow(10., -14 * x / std::max(1., n - 1));
  return k < 32 ? 1 - x / 64 : 1e-6 * (1 - x / n);
}

/// A unit vector with entries of random size, the same on every rank.
std::vector<double> reflection(std::int64_t n, std::uint64_t seed) {
  std::vector<double> u(static_cast<std::size_t>(n));
  double norm = 0;
  std::uint64_t state = seed;
  for (double& value : u) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    value = static_cast<double>(state >> 11) * 0x1p-53 - 0.5;
    norm += value * value;
  }
  for (double& value : u) value /= std::sqrt(norm);
  return u;
}

/// (1 - 2 u u^T) S (1 - 2 v v^T), element by element where it belongs: singular values known
/// exactly.
template <Scalar T>
DistMatrix<T> with_spectrum(const ProcessGrid& grid, std::int64_t m, std::int64_t n,
                            const std::string& spectrum) {
  const std::int64_t k = std::min(m, n), longer = std::max(m, n);
  // Padded with zeros to the longer side, so that S is square below.
  auto u = reflection(m, 1), v = reflection(n, 2);
  std::vector<double> s(static_cast<std::size_t>(longer), 0);
  for (std::int64_t i = 0; i < k; ++i)
    s[static_cast<std::size_t>(i)] = singular_value(spectrum, i, k);
  u.resize(s.size(), 0), v.resize(s.size(), 0);
  double middle = 0;
  for (std::size_t i = 0; i < s.size(); ++i) middle += u[i] * s[i] * v[i];
  DistMatrix<T> a(grid, Distribution::row_blocks(m, n, grid.rows()));
  a.fill_from([&](std::int64_t row, std::int64_t column) {
    const auto i = static_cast<std::size_t>(row), j = static_cast<std::size_t>(column);
    return static_cast<T>((i == j ? s[i] : 0) - 2 * u[i] * u[j] * s[j] - 2 * s[i] * v[i] * v[j] +
                          4 * u[i] * middle * v[j]);
  });
  return a;
}

template <Scalar T>
double gemm_rate(const LinalgBenchOptions& options, const parallel::Communicator& ranks) {
  constexpr std::int64_t n = 1536;
  Matrix<T> a(n, n), b(n, n), c(n, n);
  a.fill(T(1) / T(3)), b.fill(T(1) / T(7));
  const double seconds = shortest(options, ranks, [&] {
    gemm<T>(Op::none, Op::none, T(1), a.view(), b.view(), T(0), c.view());
  });
  return 2e-9 * n * n * n / seconds * ranks.size();
}

/// Largest element of Q^T Q - 1.
template <Scalar T>
double departure_from_orthonormality(const DistMatrix<T>& q) {
  DistMatrix<T> g(q.grid(), q.distribution().reshaped(q.columns(), q.columns()));
  gemm<T>(Op::adjoint, Op::none, T(1), q.view(), q.view(), T(0), g.view());
  g.view().for_each_local([](std::int64_t i, std::int64_t j, T& value) {
    if (i == j) value -= T(1);
  });
  return largest_magnitude(std::as_const(g).view());
}

template <Scalar T>
void check_result(const DistMatrix<T>& a, const DistSvd<T>& found, Row& row) {
  DistMatrix<T> av(a.grid(), found.u.distribution());
  gemm<T>(Op::none, Op::none, T(1), a.view(), found.v.view(), T(0), av.view());
  DistMatrix<T> us(a.grid(), found.u.distribution());
  copy<T>(Op::none, found.u.view(), us.view());
  std::vector<double> s(found.singular_values.begin(), found.singular_values.end());
  scale_columns<T>(us.view(), s);
  for (std::int64_t k = 0; k < av.local().size(); ++k) av.local().data()[k] -= us.local().data()[k];
  row.residual = frobenius_norm(std::as_const(av).view()) / frobenius_norm(a.view());
  row.orthogonality =
      std::max(departure_from_orthonormality(found.u), departure_from_orthonormality(found.v));
  row.value_error = 0;
  for (std::size_t k = 0; k < s.size(); ++k)
    row.value_error = std::max(
        row.value_error, std::abs(s[k] - singular_value(row.spectrum, static_cast<std::int64_t>(k),
                                                        std::min(row.rows, row.columns))));
  const bool partial =
      row.method == "randomized" || row.method == "trlanczos" || row.method == "cross";
  const double rounding = 50. * std::numeric_limits<T>::epsilon() *
                          static_cast<double>(std::max(row.rows, row.columns));
  const double allowed = partial ? std::max(rounding, 1e-9) : rounding;
  if (!(row.residual <= allowed && row.orthogonality <= allowed))
    throw known_to_all(a.grid().ranks().size(),
                       NumericalError(fmt::format(
                           "{} of {} x {} {} is off: residual {:.1e}, orthogonality {:.1e}, {:.1e} "
                           "allowed. Please report this as a defect.",
                           row.method, row.rows, row.columns, row.type, row.residual,
                           row.orthogonality, allowed)));
}

template <Scalar T>
void bench_svd(const LinalgBenchOptions& options, const ProcessGrid& grid, Report& report,
               const std::string& type, double gemm_gflops) {
  for (const std::string& text : options.shapes)
    for (const std::string& spectrum : options.spectra) {
      const auto [m, n] = shape(text);
      const DistMatrix<T> a = with_spectrum<T>(grid, m, n, spectrum);
      for (const std::int64_t wanted : options.ranks_kept)
        for (const std::string& method : options.methods) {
          const bool krylov = method == "randomized" || method == "trlanczos" || method == "cross";
          if (krylov && wanted == 0) continue;
          const std::int64_t kept = wanted == 0 ? std::min(m, n) : std::min({wanted, m, n});
          SvdOptions svd_options = options.linalg.svd();
          svd_options.method = svd_method(method);
          DistSvd<T> found;
          Row row{"svd", method, type, spectrum, m, n, kept};
          try {
            row.seconds = shortest(options, grid.ranks(),
                                   [&] { found = svd(a.view(), {.max_rank = kept}, svd_options); });
          } catch (const NumericalError& error) {
            log().warn("{}", error.what());
            continue;
          }
          if (method == "automatic") row.method = fmt::format("auto:{}", name(found.method));
          row.gflops = 4e-9 * static_cast<double>(m) * static_cast<double>(n) *
                       static_cast<double>(kept) / row.seconds;
          row.gemm_gflops = gemm_gflops;
          if (options.check) check_result(a, found, row);
          report.add(row);
        }
    }
}

/// QR of a tall matrix of activations and the SVD of a weight in the norm it defines.
void bench_whitened(const LinalgBenchOptions& options, const ProcessGrid& grid, Report& report,
                    double gemm_gflops) {
  for (const std::string& text : options.tall_shapes) {
    const auto [m, n] = shape(text);
    DistMatrix<float> x(grid, Distribution::row_blocks(m, n, grid.rows()));
    x.fill_from([](std::int64_t i, std::int64_t j) {
      const std::uint64_t h = (static_cast<std::uint64_t>(i) * 0x9E3779B97F4A7C15U) ^
                              (static_cast<std::uint64_t>(j + 1) * 0xBF58476D1CE4E5B9U);
      const std::uint64_t mixed = (h ^ (h >> 29)) * 0x94D049BB133111EBU;
      return static_cast<float>(static_cast<double>(mixed >> 11) * 0x1p-53 - 0.5) /
             static_cast<float>(1 + j % 50);
    });
    const auto w = with_spectrum<float>(grid, n, n, "algebraic");
    Matrix<float> r;
    const double qr_seconds =
        shortest(options, grid.ranks(), [&] { r = tsqr_factor(std::as_const(x).view()); });
    const double flops =
        2e-9 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(n);
    report.add(
        {"tsqr", "tsqr", "float32", "-", m, n, n, qr_seconds, flops / qr_seconds, gemm_gflops});
    const double all_seconds =
        qr_seconds + shortest(options, grid.ranks(), [&] {
          // W R^T, with R on every rank: local rows times a small matrix.
          DistMatrix<float> product(grid, w.distribution());
          if (w.local().rows() > 0)
            gemm<float>(Op::none, Op::transpose, 1.F, w.local().view(), std::as_const(r).view(),
                        0.F, product.local().view());
          const auto found = svd(std::as_const(product).view(), {}, options.linalg.svd());
        });
    const double n3 =
        1e-9 * static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n);
    report.add({"whitened svd", "tsqr+svd", "float32", "-", m, n, n, all_seconds,
                (flops + 6 * n3) / all_seconds, gemm_gflops});
  }
}

void calibrate(const LinalgBenchOptions& options, const parallel::Communicator& world) {
  constexpr std::int64_t n = 1024;
  const double n3 = 1e-9 * n * n * n;
  const ProcessGrid alone(world, 1, 1);
  auto a = with_spectrum<double>(alone, n, n, "flat");
  const double lapack = shortest(
      options, world, [&] { svd(std::as_const(a).view(), {}, {.method = SvdMethod::lapack}); });
  const double eigen = shortest(options, world, [&] {
    DistMatrix<double> g(alone, Distribution::row_blocks(n, n, 1));
    gram<double>(a.view(), g.view());
    hermitian_eigen(std::move(g));
  });
  const double gemm = gemm_rate<double>(options, world) / world.size();
  const ProcessGrid rows(world, world.size(), 1);
  const auto tiny = with_spectrum<double>(rows, 8, 8, "flat");
  const double small = shortest(
      options, world, [&] { svd(std::as_const(tiny).view(), {}, {.method = SvdMethod::gram}); });
  if (world.rank() == 0)
    fmt::print(
        "\n[linalg]  # measured on {}\ngemm_rate = {:.1f}\neigen_rate = {:.1f}\n"
        "lapack_rate = {:.1f}\nlatency = {:.1e}\n",
        counted(world.size(), "rank"), gemm, 4 * n3 / eigen, 4 * n3 / lapack, small / 40);
}

}  // namespace

void check(const LinalgBenchOptions& options, int n_nodes) {
  if (!options.file.empty()) files::check_writable(options.file);
  const auto check_list = [&](const std::vector<std::string>& shapes, const char* keyword) {
    for (const std::string& text : shapes) {
      const auto [m, n] = shape(text);
      // The matrix, two factors, and a copy to work on.
      require_memory(4 * 8.0 * static_cast<double>(m) * static_cast<double>(n) / n_nodes,
                     fmt::format("a matrix of {} by {}", m, n), keyword);
    }
  };
  check_list(options.shapes, "bench.shapes");
  check_list(options.tall_shapes, "bench.tall_shapes");
}

void bench_linalg(const LinalgBenchOptions& options, const parallel::Communicator& world) {
  const SlepcSession slepc(world);
  const ProcessGrid grid(world, world.size(), 1);
  Report report(options.file, world);
  report.begin();
  const double single = gemm_rate<float>(options, world), twice = gemm_rate<double>(options, world);
  for (const std::string& type : options.types)
    if (type == "float64")
      bench_svd<double>(options, grid, report, type, twice);
    else
      bench_svd<float>(options, grid, report, type, single);
  bench_whitened(options, grid, report, single);
  report.write();
  if (world.rank() == 0)
    fmt::print("\nmatrix product: {:.1f} GFlop/s float64, {:.1f} float32, all ranks\n", twice,
               single);
  if (options.calibrate) calibrate(options, world);
}

}  // namespace rankine::bench
