#include "bench_gpeps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <type_traits>

#include "bench_file.hpp"
#include "bench_memory.hpp"
#include "bench_timing.hpp"
#include "core/memory.hpp"
#include "core/text_format.hpp"
#include "core/timer.hpp"
#include "deck/read.hpp"
#include "files/hdf5/result_file.hpp"
#include "files/output_file.hpp"
#include "gpeps/state/bond_update.hpp"
#include "gpeps/sweep.hpp"
#include "linalg/blas.hpp"

namespace rankine::bench {

using linalg::Matrix;

void declare_keywords(deck::Schema& schema, BenchOptions& options) {
  auto section = schema.section("bench", "What is measured.");
  section.keyword("bond_dimensions", options.bond_dimensions)
      .range(2, 4096)
      .allow_empty()
      .describe(
          "Bond dimensions of the single bond update of a degree-3 site with a degree-2 site.");
  section.keyword("cases", options.cases)
      .allow_empty()
      .choices({"eagle-mz", "condor-mz", "eagle-z62", "eagle-z62-no-cone", "eagle-z62-256",
                "eagle-full-64"})
      .describe("Whole runs to time.");
  section.keyword("repeats", options.repeats)
      .range(1, 1000)
      .describe("Repeats; the shortest time counts.");
  section.keyword("precision", options.precision)
      .choices({"complex128", "complex64"})
      .describe("Numbers of the site tensors.");
  section.keyword("file", options.file)
      .describe("Result file, HDF5 or, with the ending .csv, CSV; empty for none.");
}

namespace {

template <linalg::Scalar T>
void fill_randomly(std::span<T> values) {
  std::mt19937 generator(1);
  std::normal_distribution<linalg::Real<T>> normal;
  for (T& value : values) value = {normal(generator), normal(generator)};
}

/// Rate of a square product of complex matrices, the line to reach (8 n^3 real flops).
template <linalg::Scalar T>
double gemm_rate(std::int64_t repeats) {
  constexpr std::int64_t n = 1024;
  Matrix<T> a(n, n), b(n, n), c(n, n);
  fill_randomly<T>(a.span());
  fill_randomly<T>(b.span());
  const double seconds = shortest_time(repeats + 2, [&] {
    linalg::gemm<T>(linalg::Op::none, linalg::Op::none, T(1), a.view(), b.view(), T(0), c.view());
  });
  return 8e-9 * n * n * n / seconds;
}

template <linalg::Scalar T>
gpeps::SiteTensor<T> random_site(std::vector<int> legs, std::int64_t bond) {
  gpeps::SiteTensor<T> tensor{std::move(legs), {}, 2, {}};
  tensor.dimensions.assign(tensor.legs.size(), bond);
  tensor.elements = linalg::Buffer<T>(2 * tensor.block_size());
  fill_randomly<T>(tensor.elements.span());
  return tensor;
}

/// One update of the bond between a degree-3 and a degree-2 site, D kept of 2 D: seconds in the
/// large tensor and in all.
template <linalg::Scalar T>
std::pair<double, double> time_bond_update(std::int64_t bond, std::int64_t repeats) {
  auto a = random_site<T>({0, 1, 2}, bond), b = random_site<T>({0, 3}, bond);
  const auto sides = gpeps::decompose<T>(*circuit::rzz(-1.5707963267948966));
  const std::vector<linalg::Real<T>> weights(bond, linalg::Real<T>(1));
  double site = std::numeric_limits<double>::infinity(), all = site;
  linalg::Buffer<T> spare;
  for (std::int64_t k = 0; k < repeats + 1; ++k) {
    const Stopwatch whole;
    const Stopwatch gram;
    const auto factor_a =
        gpeps::bond_factor<T>(a, a.leg_of(0), weights, sides.a, gpeps::Route::gram);
    double in_site = gram.seconds();
    const auto factor_b =
        gpeps::bond_factor<T>(b, b.leg_of(0), weights, sides.b, gpeps::Route::gram);
    const auto truncated =
        gpeps::truncate_bond<T>(factor_a.view(), factor_b.view(), weights, {.max_rank = bond});
    const Stopwatch update;
    gpeps::update_site(a, a.leg_of(0), sides.a, truncated.a.view(), spare);
    in_site += update.seconds();
    gpeps::update_site(b, b.leg_of(0), sides.b, truncated.b.view(), spare);
    site = std::min(site, in_site);
    all = std::min(all, whole.seconds());
    std::ranges::rotate(a.legs,
                        a.legs.begin() + 2);  // the next round acts on a leg that comes first again
    std::ranges::rotate(a.dimensions, a.dimensions.begin() + 2);
  }
  return {site, all};
}

/// What was measured, for the file.
struct Update {
  std::int64_t bond = 0;
  double site_seconds = 0, all_seconds = 0, gemm_gflops = 0;
};
struct CaseTime {
  std::string name;
  double seconds = 0, value = 0;
  std::int64_t peak_bytes = 0;
};
struct Measured {
  std::vector<Update> updates;
  std::vector<CaseTime> cases;
};

template <linalg::Scalar T>
void bench_bond_updates(const BenchOptions& options, Measured& measured) {
  const double machine = gemm_rate<T>(options.repeats);
  fmt::print("{}: matrix product {:.1f} GFlop/s with {}\n\n", options.precision, machine,
             counted(linalg::blas_threads(), "thread"));
  fmt::print(
      "bond update, degree 3 with degree 2, counted as 24 D^4 flops\n{:>6} {:>12} {:>10} {:>9} "
      "{:>12} {:>10} {:>9}\n",
      "D", "site [s]", "GFlop/s", "fraction", "all [s]", "GFlop/s", "fraction");
  for (const std::int64_t bond : options.bond_dimensions) {
    const auto [site, all] = time_bond_update<T>(bond, options.repeats);
    const double flops = 24e-9 * std::pow(static_cast<double>(bond), 4);
    fmt::print("{:>6} {:>12.3e} {:>10.1f} {:>9.2f} {:>12.3e} {:>10.1f} {:>9.2f}\n", bond, site,
               flops / site, flops / site / machine, all, flops / all, flops / all / machine);
    measured.updates.push_back({bond, site, all, machine});
  }
}

struct Case {
  const char* name;
  const char* overrides;
  const char* meaning;
};

constexpr const char* common =
    "[lattice]\nname = \"eagle\"\n[measure]\nevery = 1000\n[output]\nfile = \"none.h5\"\n";
const Case known_cases[] = {
    {"eagle-mz", "circuit.theta_h=0.6 state.max_bond_dimension=16",
     "M_z of Eagle, 5 steps, bond dimension 16, cone"},
    {"condor-mz", "lattice.name=condor circuit.theta_h=0.6 state.max_bond_dimension=16",
     "M_z of Condor, 5 steps, bond dimension 16, cone"},
    {"eagle-z62",
     "circuit.steps=9 circuit.theta_h=0.7853981633974483 state.max_bond_dimension=64 "
     "measure.observables=Z62",
     "Z_62 of Eagle, 9 steps, bond dimension 64, cone"},
    {"eagle-z62-no-cone",
     "circuit.steps=9 circuit.theta_h=0.7853981633974483 state.max_bond_dimension=64 "
     "measure.observables=magnetization",
     "all of Eagle, 9 steps, bond dimension 64, last ZZ layer skipped"},
    {"eagle-z62-256",
     "circuit.steps=9 circuit.theta_h=0.7853981633974483 state.max_bond_dimension=256 "
     "measure.observables=Z62",
     "Z_62 of Eagle, 9 steps, bond dimension 256, cone: nothing truncated"},
    {"eagle-full-64",
     "circuit.steps=12 circuit.theta_h=0.7853981633974483 state.max_bond_dimension=64 "
     "state.causal_cone=false",
     "M_z of Eagle, 12 steps, bond dimension 64, all gates"}};

void bench_case(const Case& which, const BenchOptions& options, const parallel::Communicator& world,
                Measured& measured) {
  gpeps::SimulateOptions simulate;
  deck::Schema schema;
  gpeps::declare_keywords(schema, simulate);
  std::vector<std::string> overrides{"state.precision=" + options.precision};
  std::string text = which.overrides;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    overrides.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  deck::read_text(schema, common, which.name, overrides);
  const auto graph = lattice::make_lattice(simulate.lattice);
  const auto circuit =
      circuit::make_circuit(simulate.circuit, circuit::load_circuit(simulate.circuit),
                            graph.n_sites(), graph.pairs_by_colour());
  const auto plan = gpeps::plan_measurements(schema, simulate, graph, circuit);
  const gpeps::Job job{simulate, graph, circuit, plan};
  const gpeps::Point point = gpeps::sweep_points(simulate).front();
  double value = 0;
  const double seconds = shortest_time(options.repeats, [&] {
    world.barrier();
    value = gpeps::simulate_point(job, point, world, [](double, const std::string&) {})
                .observables[0]
                .back();
    world.barrier();
  });
  const auto peak = world.max(peak_resident_bytes());
  if (world.rank() != 0) return;
  fmt::print("{:<18} {:>9.4f} {:>18.14f} {:>10}  {}\n", which.name, seconds, value,
             format_bytes(static_cast<double>(peak)), which.meaning);
  measured.cases.push_back({which.name, seconds, value, static_cast<std::int64_t>(peak)});
}

void write_csv(const std::string& file, const Measured& measured, int n_ranks) {
  std::string csv;
  for (const Update& row : measured.updates)
    csv += fmt::format("bond_update,{},{},{},{}\n", row.bond, row.site_seconds, row.all_seconds,
                       row.gemm_gflops);
  for (const CaseTime& row : measured.cases)
    csv +=
        fmt::format("{},{},{},{},{}\n", row.name, n_ranks, row.seconds, row.value, row.peak_bytes);
  files::write_atomically(file, std::as_bytes(std::span(csv)));
}

void write_hdf5(const std::string& path, const Measured& measured, int n_ranks) {
  files::ResultFile file(path, {.filetype = "rankine-bench-gpeps",
                                .format_version = 1,
                                .program = "rankine-bench",
                                .n_ranks = n_ranks,
                                .threads = linalg::blas_threads(),
                                .library_versions = {{"blas", linalg::blas_library()}}});
  const auto put = [&](const char* name, const auto& rows, auto member, const char* what,
                       const char* units) {
    std::vector<std::remove_cvref_t<decltype(rows[0].*member)>> values;
    for (const auto& row : rows) values.push_back(row.*member);
    file.write(fmt::format("/results/{}", name), values, {values.size()},
               {.long_name = what, .units = units, .dims = {"measurement"}});
  };
  const auto& [updates, cases] = measured;
  put("bond_updates/bond_dimension", updates, &Update::bond, "bond dimension", "1");
  put("bond_updates/site_seconds", updates, &Update::site_seconds, "time in the large tensor", "s");
  put("bond_updates/all_seconds", updates, &Update::all_seconds, "shortest time of an update", "s");
  put("bond_updates/gemm_gflops", updates, &Update::gemm_gflops, "matrix-product rate", "GFlop/s");
  put("cases/case", cases, &CaseTime::name, "whole run", "1");
  put("cases/seconds", cases, &CaseTime::seconds, "shortest time", "s");
  put("cases/value", cases, &CaseTime::value, "what was measured last", "1");
  put("cases/peak_resident_bytes", cases, &CaseTime::peak_bytes,
      "most memory the largest rank had resident", "byte");
  file.complete();
}

}  // namespace

double bond_update_seconds(std::int64_t bond, std::int64_t repeats) {
  return time_bond_update<std::complex<double>>(bond, repeats).second;
}

void check(const BenchOptions& options) {
  if (!options.file.empty()) files::check_writable(options.file);
  if (options.bond_dimensions.empty()) return;
  // The degree-3 tensor four times: itself, its factor, the new one, and what is spare.
  const auto largest = static_cast<double>(std::ranges::max(options.bond_dimensions));
  const double element = options.precision == "complex64" ? 8 : 16;
  require_memory(4 * 2 * element * std::pow(largest, 3),
                 fmt::format("the update of a bond of dimension {}", largest),
                 "bench.bond_dimensions");
}

void bench_gpeps(const BenchOptions& options, const parallel::Communicator& world) {
  Measured measured;
  if (world.rank() == 0) {
    if (options.precision == "complex64")
      bench_bond_updates<std::complex<float>>(options, measured);
    else
      bench_bond_updates<std::complex<double>>(options, measured);
    fmt::print("\nwhole runs on {}\n{:<18} {:>9} {:>18} {:>10}\n", counted(world.size(), "rank"),
               "case", "seconds", "value", "peak");
  }
  for (const Case& known : known_cases)
    if (std::ranges::count(options.cases, known.name) > 0)
      bench_case(known, options, world, measured);
  write_file(
      world, options.file, [&] { write_csv(options.file, measured, world.size()); },
      [&] { write_hdf5(options.file, measured, world.size()); });
}

}  // namespace rankine::bench
