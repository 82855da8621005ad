#include "bench_machine.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <random>
#include <sstream>
#include <span>
#include <thread>
#include <vector>

#include "bench_gpeps.hpp"
#include "bench_timing.hpp"
#include "core/memory.hpp"
#include "files/output_file.hpp"
#include "gpeps/measurement/state_vector.hpp"
#include "lattice/lattices.hpp"
#include "linalg/blas.hpp"
#include "linalg/factorisations.hpp"
#include "linalg/svd/svd.hpp"
#include "parallel/agreement.hpp"
#include "parallel/node.hpp"

namespace rankine::bench {

using linalg::Matrix;

void declare_keywords(deck::Schema& schema, MachineBenchOptions& options) {
  auto section = schema.section("bench", "What is measured.");
  section.keyword("file", options.file).describe("Machine file; empty to print it.");
  section.keyword("title", options.title).describe("What the machine is, in words.");
  section.keyword("repeats", options.repeats)
      .range(1, 1000)
      .describe("Repeats; the shortest time counts.");
}

void check(const MachineBenchOptions& options) {
  if (!options.file.empty()) files::check_writable(options.file);
}

namespace {

constexpr double giga = 1e9, micro = 1e-6, nano = 1e-9;

/// To three digits, as rates are not known better.
double rounded(double value) {
  if (value <= 0) return 0;
  const double unit = std::pow(10, std::floor(std::log10(value)) - 2);
  return std::stod(fmt::format("{:.6g}", std::round(value / unit) * unit));
}

template <linalg::Scalar T>
Matrix<T> random_matrix(std::int64_t rows, std::int64_t columns) {
  std::mt19937 generator(1);
  std::normal_distribution<double> normal;
  Matrix<T> matrix(rows, columns);
  for (T& value : matrix.span())
    value = linalg::from_complex<T>(std::complex<double>(
        normal(generator), linalg::is_complex<T> ? normal(generator) : 0.0));
  return matrix;
}

double now_by(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Of this thread alone, so that others on the machine do not count; the least of several.
template <class Work>
double seconds_of(std::int64_t repeats, const Work& work) {
  const auto time = [&](std::int64_t calls) {
    const double begin = now_by(CLOCK_THREAD_CPUTIME_ID);
    for (std::int64_t k = 0; k < calls; ++k) work();
    return (now_by(CLOCK_THREAD_CPUTIME_ID) - begin) / static_cast<double>(calls);
  };
  const double once = time(1);
  const auto calls = static_cast<std::int64_t>(std::clamp(2e-3 / std::max(once, 1e-8), 1.0, 1e5));
  double least = calls == 1 ? once : std::numeric_limits<double>::infinity();
  for (std::int64_t k = 0; k < repeats; ++k) least = std::min(least, time(calls));
  return least;
}

template <linalg::Scalar T>
std::vector<double> product_rates(const std::vector<std::int64_t>& sizes, std::int64_t repeats) {
  std::vector<double> rates;
  for (const std::int64_t k : sizes) {
    const std::int64_t rows = std::max(k, std::min<std::int64_t>(8192, (1 << 22) / (k * k)));
    const Matrix<T> a = random_matrix<T>(rows, k), b = random_matrix<T>(k, k);
    Matrix<T> c(rows, k);
    const double seconds = seconds_of(repeats, [&] {
      linalg::gemm<T>(linalg::Op::none, linalg::Op::none, T(1), a.view(), b.view(), T(0),
                      c.view());
    });
    const double flops = (linalg::is_complex<T> ? 8.0 : 2.0) * static_cast<double>(rows * k * k);
    rates.push_back(rounded(flops / giga / seconds));
  }
  return rates;
}

template <linalg::Scalar T>
std::vector<double> svd_rates(const std::vector<std::int64_t>& sizes, std::int64_t repeats) {
  std::vector<double> rates;
  for (const std::int64_t n : sizes) {
    const Matrix<T> matrix = random_matrix<T>(n, n);
    const double seconds = seconds_of(n > 200 ? 1 : repeats, [&] {
      Matrix<T> copy(n, n);
      std::ranges::copy(matrix.span(), copy.data());
      linalg::svd(std::move(copy), linalg::Truncation{});
    });
    const double size = static_cast<double>(n);
    const double operations = (linalg::is_complex<T> ? 32.0 : 8.0) * size * size * size;
    rates.push_back(rounded(operations / giga / seconds));
  }
  return rates;
}

std::vector<double> eigen_rates(const std::vector<std::int64_t>& sizes, std::int64_t repeats) {
  std::vector<double> rates;
  for (const std::int64_t n : sizes) {
    const Matrix<double> half = random_matrix<double>(n, n);
    Matrix<double> gram(n, n);
    linalg::herk<double>(linalg::Op::adjoint, half.view(), 0, gram.view());
    const double seconds = seconds_of(n > 200 ? 1 : repeats, [&] {
      Matrix<double> copy(n, n);
      std::ranges::copy(gram.span(), copy.data());
      linalg::hermitian_eigen(copy);
    });
    rates.push_back(rounded(4 * std::pow(static_cast<double>(n), 3) / giga / seconds));
  }
  return rates;
}

void measure_rates(run::MachineModel& machine, std::int64_t repeats) {
  linalg::set_blas_threads(1);
  run::ProductRates& products = machine.products;
  products.sizes = {2, 4, 8, 16, 32, 64, 128, 256, 512};
  products.float32 = product_rates<float>(products.sizes, repeats);
  products.float64 = product_rates<double>(products.sizes, repeats);
  products.complex64 = product_rates<std::complex<float>>(products.sizes, repeats);
  products.complex128 = product_rates<std::complex<double>>(products.sizes, repeats);
  run::DecompositionRates& others = machine.decompositions;
  others.sizes = {2, 4, 8, 16, 32, 64, 128, 256, 512};
  others.svd_float64 = svd_rates<double>(others.sizes, repeats);
  others.svd_complex64 = svd_rates<std::complex<float>>(others.sizes, repeats);
  others.svd_complex128 = svd_rates<std::complex<double>>(others.sizes, repeats);
  others.eigen_float64 = eigen_rates(others.sizes, repeats);
}

/// Short pieces, of which some are not disturbed.
constexpr std::int64_t often = 30;

double thread_efficiency(int cores, std::int64_t repeats) {
  if (cores == 1) return 0;
  constexpr std::int64_t n = 384;
  const Matrix<double> a = random_matrix<double>(n, n);
  Matrix<double> c(n, n);
  const auto seconds = [&](int threads) {
    linalg::set_blas_threads(threads);
    return shortest_time(often * repeats, [&] {
      linalg::gemm<double>(linalg::Op::none, linalg::Op::none, 1, a.view(), a.view(), 0, c.view());
    });
  };
  const double one = seconds(1), all = seconds(cores);
  linalg::set_blas_threads(1);
  return std::clamp(rounded((one / all - 1) / (cores - 1)), 0.0, 1.0);
}

/// GB/s read and written by copies on so many threads at once.
double copy_bandwidth(int threads, std::int64_t repeats) {
  constexpr std::size_t size = 64 << 20;
  std::vector<std::vector<char>> from(static_cast<std::size_t>(threads), std::vector<char>(size, 1)),
      to(static_cast<std::size_t>(threads), std::vector<char>(size, 2));
  const double seconds = shortest_time(often / 3 * repeats, [&] {
    std::vector<std::jthread> workers;
    for (std::size_t t = 0; t < from.size(); ++t)
      workers.emplace_back([&, t] { std::memcpy(to[t].data(), from[t].data(), size); });
  });
  return rounded(2.0 * static_cast<double>(size * from.size()) / giga / seconds);
}

void measure_node(run::NodeOptions& node, std::int64_t repeats) {
  constexpr double gibibyte = 1073741824.0;
  node.cores = parallel::cores_of_process();
  node.memory = rounded(static_cast<double>(available_node_bytes()) / gibibyte);
  node.core_bandwidth = copy_bandwidth(1, repeats);
  node.bandwidth = std::max(node.core_bandwidth,
                            copy_bandwidth(static_cast<int>(std::min<std::int64_t>(node.cores, 16)),
                                           repeats));
  node.thread_efficiency = thread_efficiency(static_cast<int>(node.cores), repeats);
}

double amplitude_seconds(std::int64_t repeats) {
  constexpr int n = 20;
  circuit::Circuit circuit{{{}}};
  std::vector<int> sites;
  for (int site = 0; site < n; ++site) {
    sites.push_back(site);
    circuit.steps[0].push_back({circuit::rx(0.7), {site, -1}});
    if (site > 0) circuit.steps[0].push_back({circuit::rzz(0.3), {site - 1, site}});
  }
  const double seconds = seconds_of(repeats, [&] {
    gpeps::StateVector<double> state(sites);
    state.apply(circuit.steps[0]);
  });
  return 40 * seconds / gpeps::state_vector_flops(n, circuit);
}

double scalar_seconds(std::int64_t repeats) {
  constexpr std::size_t n = 1 << 18;
  std::mt19937 generator(1);
  std::vector<float> values(n);
  for (float& value : values) value = static_cast<float>(generator());
  const double seconds = seconds_of(repeats, [&] {
    std::vector<float> copy = values;
    std::ranges::sort(copy);
  });
  return seconds / (static_cast<double>(n) * 18);
}

void measure_files(run::FileOptions& files) {
  const std::filesystem::path path = files::temporary_name("rankine-bench-machine");
  const std::vector<std::byte> bytes(std::size_t{32} << 20, std::byte{1});
  const Stopwatch write;
  files::write_atomically(path, bytes);
  files.write_bandwidth = rounded(static_cast<double>(bytes.size()) / giga / write.seconds());
  std::vector<char> back(bytes.size());
  const Stopwatch read;
  std::ifstream(path, std::ios::binary)
      .read(back.data(), static_cast<std::streamsize>(back.size()));
  files.read_bandwidth = rounded(static_cast<double>(bytes.size()) / giga / read.seconds());
  std::filesystem::remove(path);
}

void measure_software(run::MachineModel& machine, std::int64_t repeats) {
  run::SoftwareOptions& software = machine.software;
  software.bond_update = rounded(bond_update_seconds(2, 200 * repeats) / micro);
  software.amplitude = rounded(amplitude_seconds(repeats) / nano);
  software.scalar = rounded(scalar_seconds(repeats) / nano);
#ifdef RANKINE_BENCH_IMAGES
  measure_tensors(software, repeats);
  for (double* value : {&software.operation, &software.convolution, &software.exponential})
    *value = rounded(*value);
#endif
}

/// Between all ranks, as sums and broadcasts take them. Nothing to measure with one rank.
void measure_messages(const parallel::Communicator& world, run::MessageOptions& messages) {
  if (world.size() == 1) return;
  constexpr int calls = 20;
  constexpr std::size_t large = 4 << 20;
  std::vector<double> values(large / sizeof(double), 1.0);
  world.barrier();
  const double small = world.max(shortest_time(often, [&] {
    for (int k = 0; k < calls; ++k) world.sum(1.0);
  }));
  const double latency = small / calls / std::ceil(std::log2(world.size()));
  const double seconds = world.min(shortest_time(often, [&] { world.sum(std::span(values)); }));
  const double share = 2.0 * (world.size() - 1) / world.size();
  const double bandwidth = rounded(share * large / giga / seconds);
  if (world.size() > parallel::cores_of_process()) {
    messages.turn_latency = rounded(latency / micro);
  } else if (parallel::ranks_per_node(world) == world.size()) {
    messages.node_latency = rounded(latency / micro);
    messages.node_bandwidth = bandwidth;
  } else {
    messages.latency = rounded(latency / micro);
    messages.bandwidth = rounded(bandwidth * parallel::ranks_per_node(world));
  }
}

/// What /proc says of a process: its name, the process that began it, its beginning after boot.
struct ProcessFacts {
  std::string name;
  int parent = 0;
  double began = 0;
};
ProcessFacts facts_of(const std::string& process) {
  std::ifstream in("/proc/" + process + "/stat");
  std::string text;
  std::getline(in, text);
  const std::size_t open = text.find('('), close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return {};
  ProcessFacts facts{.name = text.substr(open + 1, close - open - 1)};
  std::istringstream rest(text.substr(close + 2));
  std::vector<std::string> words{std::istream_iterator<std::string>(rest), {}};
  if (words.size() < 20) return {};
  facts.parent = std::stoi(words[1]);
  facts.began = std::stod(words[19]) / static_cast<double>(sysconf(_SC_CLK_TCK));
  return facts;
}

/// From the launcher's beginning to that of this program; nothing without a launcher.
double launching_seconds() {
  const ProcessFacts facts = facts_of("self");
  const ProcessFacts launcher = facts_of(std::to_string(facts.parent));
  for (const char* name : {"mpirun", "mpiexec", "orterun", "prterun"})
    if (launcher.name == name) return facts.began - launcher.began;
  return 0;
}

}  // namespace

void bench_machine(const MachineBenchOptions& options, const parallel::Communicator& world) {
  run::MachineModel machine;
  machine.title = options.title;
  // What has been computed so far is nearly all libtorch's beginning; the launcher ends as it begins.
  machine.software.start_tensors = rounded(now_by(CLOCK_PROCESS_CPUTIME_ID));
  machine.software.start = rounded(0.3 + launching_seconds());
  measure_messages(world, machine.messages);
  parallel::agree_on_failure(world, [&] {
    if (world.rank() != 0) return;
    measure_node(machine.node, options.repeats);
    measure_rates(machine, options.repeats);
    measure_files(machine.files);
    measure_software(machine, options.repeats);
    const std::string text = run::machine_text(machine);
    if (options.file.empty())
      fmt::print("{}", text);
    else
      files::write_atomically(options.file, std::as_bytes(std::span(text)));
  });
}

}  // namespace rankine::bench
