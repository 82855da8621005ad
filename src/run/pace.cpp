#include "run/pace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/text_format.hpp"

namespace rankine::run {

namespace {

constexpr double giga = 1e9, micro = 1e-6, nano = 1e-9;

bool is_single(Numbers numbers) {
  return numbers == Numbers::float32 || numbers == Numbers::complex64;
}

/// Between two sizes along a straight line in the logarithms of both; as at the ends beyond them.
double interpolated(const std::vector<std::int64_t>& sizes, const std::vector<double>& rates,
                    double size) {
  const auto above = std::ranges::upper_bound(sizes, size, {}, [](std::int64_t s) {
                       return static_cast<double>(s);
                     }) - sizes.begin();
  if (above == 0) return rates.front();
  if (above == std::ssize(sizes)) return rates.back();
  const auto k = static_cast<std::size_t>(above);
  const double low = std::log(static_cast<double>(sizes[k - 1])),
               high = std::log(static_cast<double>(sizes[k]));
  const double part = (std::log(size) - low) / (high - low);
  return std::exp((1 - part) * std::log(rates[k - 1]) + part * std::log(rates[k]));
}

const std::vector<double>& product_rates(const ProductRates& products, Numbers numbers) {
  switch (numbers) {
    case Numbers::float32:
      return products.float32;
    case Numbers::float64:
      return products.float64;
    case Numbers::complex64:
      return products.complex64;
    default:
      return products.complex128;
  }
}

/// Steps of a collective call over so many ranks.
double steps(int ranks) { return std::ceil(std::log2(static_cast<double>(std::max(1, ranks)))); }

}  // namespace

double bytes_of(Numbers numbers) {
  return numbers == Numbers::float32 ? 4 : numbers == Numbers::complex128 ? 16 : 8;
}

StageCost& StageCost::operator+=(const StageCost& other) {
  seconds += other.seconds;
  flops += other.flops;
  bytes += other.bytes;
  messages += other.messages;
  return *this;
}

StageCost StageCost::times(double factor) const {
  return {stage, factor * seconds, factor * flops, factor * bytes, factor * messages};
}

Machine place(const MachineModel& model, int ranks, int threads) {
  const auto nodes = static_cast<int>(model.node.nodes), cores = static_cast<int>(model.node.cores);
  const int of_rank = std::max(1, threads);
  const int filled = std::min(ranks, std::max(1, cores / of_rank));
  const int ranks_per_node = std::max(filled, (ranks + nodes - 1) / nodes);
  constexpr double gibibyte = 1073741824.0;
  return {.ranks = ranks,
          .ranks_per_node = ranks_per_node,
          .threads = threads > 0 ? threads : std::max(1, cores / ranks_per_node),
          .are_threads_asked = threads > 0,
          .node_bytes = static_cast<std::uint64_t>(model.node.memory * gibibyte)};
}

Pace Pace::with_threads(int threads) const {
  Machine where = where_;
  where.threads = threads;
  return {model_, where};
}

double Pace::share() const {
  const double wanted = static_cast<double>(where_.ranks_per_node) * where_.threads;
  return std::min(1.0, static_cast<double>(model_.node.cores) / wanted);
}

double Pace::speed() const {
  return share() * (1 + model_.node.thread_efficiency * (where_.threads - 1));
}

double Pace::product(double flops, double size, Numbers numbers) const {
  const double rate =
      interpolated(model_.products.sizes, product_rates(model_.products, numbers), size);
  return flops / (giga * rate * speed());
}

double Pace::matrix_product(double m, double n, double k, Numbers numbers) const {
  const double flops = 2 * m * n * k * (numbers >= Numbers::complex64 ? 4 : 1);
  return std::max(product(flops, std::min({m, n, k}), numbers),
                  memory(bytes_of(numbers) * (m * n + n * k + m * k)));
}

double Pace::svd(double n, Numbers numbers) const {
  const DecompositionRates& all = model_.decompositions;
  const bool is_complex = numbers >= Numbers::complex64;
  const auto& rates = !is_complex                    ? all.svd_float64
                      : numbers == Numbers::complex64 ? all.svd_complex64
                                                      : all.svd_complex128;
  return (is_complex ? 32 : 8) * n * n * n / (giga * interpolated(all.sizes, rates, n) * speed());
}

double Pace::svd_operations(double operations, double n) const {
  const DecompositionRates& all = model_.decompositions;
  return operations / (giga * interpolated(all.sizes, all.svd_float64, n) * speed());
}

double Pace::eigen(double n) const {
  const DecompositionRates& all = model_.decompositions;
  return 4 * n * n * n / (giga * interpolated(all.sizes, all.eigen_float64, n) * speed());
}

double Pace::convolution(double flops, Numbers numbers) const {
  const double single = is_single(numbers) ? 1 : 2;
  return single * flops / (giga * model_.software.convolution * speed());
}

double Pace::memory(double bytes) const {
  const double of_rank = model_.node.core_bandwidth * where_.threads;
  const double of_node = model_.node.bandwidth / where_.ranks_per_node;
  return bytes / (giga * std::min(of_rank, of_node));
}

double Pace::exponentials(double count) const {
  return nano * model_.software.exponential * count / speed();
}

double Pace::scalars(double count) const {
  return nano * model_.software.scalar * count / share();
}

double Pace::operations(double count) const {
  return micro * model_.software.operation * count / share();
}

double Pace::bond_updates(double count) const {
  return micro * model_.software.bond_update * count / share();
}

double Pace::amplitudes(double count, Numbers numbers) const {
  return nano * model_.software.amplitude * (is_single(numbers) ? 0.5 : 1) * count / speed();
}

double Pace::latency(int ranks) const {
  const MessageOptions& messages = model_.messages;
  if (where_.ranks_per_node * where_.threads > model_.node.cores)
    return micro * messages.turn_latency;
  return micro * (ranks > where_.ranks_per_node ? messages.latency : messages.node_latency);
}

double Pace::link(int ranks) const {
  const MessageOptions& messages = model_.messages;
  if (ranks <= where_.ranks_per_node) return giga * messages.node_bandwidth;
  return giga * std::min(messages.node_bandwidth, messages.bandwidth / where_.ranks_per_node);
}

double Pace::message(double bytes, int ranks) const {
  return ranks > 1 ? latency(ranks) + bytes / link(ranks) : 0;
}

double Pace::sum(double bytes, int ranks) const {
  if (ranks <= 1) return 0;
  return steps(ranks) * latency(ranks) + 2 * bytes * (ranks - 1) / ranks / link(ranks);
}

double Pace::broadcast(double bytes, int ranks) const { return sum(bytes, ranks); }

double Pace::gather(double bytes, int ranks) const {
  if (ranks <= 1) return 0;
  return steps(ranks) * latency(ranks) + bytes * (ranks - 1) / ranks / link(ranks);
}

double Pace::reading(double bytes) const { return bytes / (giga * model_.files.read_bandwidth); }

double Pace::writing(double bytes) const { return bytes / (giga * model_.files.write_bandwidth); }

double Pace::start(bool has_tensors) const {
  const SoftwareOptions& software = model_.software;
  const double turns =
      std::max(1.0, static_cast<double>(where_.ranks_per_node) / static_cast<double>(model_.node.cores));
  return software.start + (has_tensors ? software.start_tensors * turns : 0) +
         software.start_rank * steps(where_.ranks);
}

double dealt(std::vector<double> seconds, int ranks) {
  std::ranges::sort(seconds, std::greater<>());
  std::vector<double> loads(static_cast<std::size_t>(ranks), 0);
  for (const double one : seconds) *std::ranges::min_element(loads) += one;
  return std::ranges::max(loads);
}

double total_seconds(const std::vector<StageCost>& stages) {
  double sum = 0;
  for (const StageCost& stage : stages) sum += stage.seconds;
  return sum;
}

std::vector<std::string> lines(const std::vector<StageCost>& stages, const Machine& where) {
  std::vector<std::string> all{fmt::format(
      "predicted {:.4g} s on {} ({} a node, {} each)", total_seconds(stages),
      counted(where.ranks, "rank"), where.ranks_per_node, counted(where.threads, "thread"))};
  for (const StageCost& stage : stages)
    all.push_back(fmt::format("  {:<28} {:>10.4g} s  {:.2e} flops, {:.2e} bytes sent in {:.0f} messages",
                              stage.stage, stage.seconds, stage.flops, stage.bytes, stage.messages));
  return all;
}

}  // namespace rankine::run
