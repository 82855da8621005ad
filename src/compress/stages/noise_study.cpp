#include "compress/stages/noise_study.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "circuit/block_noise.hpp"
#include "compress/job/adapter_plan.hpp"
#include "compress/job/stages.hpp"
#include "compress/stages/scored_points.hpp"
#include "core/contracts.hpp"
#include "run/fingerprint.hpp"
#include "weights/forms/rotated.hpp"

namespace rankine::compress {

namespace {

std::optional<double> perplexity_of(const std::optional<models::Score>& score) {
  return score ? std::optional(score->headline().value) : std::nullopt;
}

/// Numbers of shots as circuit::read_block takes them, infinitely many last.
std::vector<std::int64_t> all_shots(const NoiseOptions& noise) {
  std::vector<std::int64_t> shots = noise.shots;
  shots.push_back(0);
  return shots;
}

circuit::BlockReadout readout_of(const CompressOptions& options, double error_rate,
                                 std::int64_t shots) {
  return circuit::read_block(static_cast<int>(qubits_of(options.adapter.block)), error_rate,
                             options.noise.readout_error, shots);
}

NoiseMap empty_map(const Workbench& bench) {
  const CompressOptions& options = bench.options;
  NoiseMap map{.error_rates = options.noise.error_rates,
               .unadapted = perplexity_of(bench.result.adapter->unadapted),
               .exact = perplexity_of(bench.result.after)};
  for (const std::int64_t shots : all_shots(options.noise))
    map.shots.push_back(shots > 0 ? static_cast<double>(shots)
                                  : std::numeric_limits<double>::infinity());
  for (const double error_rate : map.error_rates)
    for (const std::int64_t shots : all_shots(options.noise)) {
      const circuit::BlockReadout readout = readout_of(options, error_rate, shots);
      map.qubits = readout.qubits;
      map.gates = readout.two_qubit_gates;
      if (shots == 0) map.contrast.push_back(readout.contrast);
      map.deviation.push_back(readout.deviation);
      map.perplexity.push_back(std::nan(""));
    }
  return map;
}

/// All blocks of all adapters, with the same fluctuations at every point of the map: its points
/// differ by their noise alone.
void set_noise(Workbench& bench, std::optional<circuit::BlockReadout> readout) {
  const auto seed = static_cast<std::uint64_t>(bench.options.noise.seed);
  for (const NamedShape& weight : bench.job.adapted) {
    const auto rotated =
        std::dynamic_pointer_cast<weights::Rotated>(weight_of(bench.model, weight.name));
    RANKINE_EXPECTS(rotated != nullptr, "noise is for orthogonal blocks");
    std::optional<weights::BlockNoise> noise;
    if (readout)
      noise = {.contrast = readout->contrast,
               .deviation = readout->deviation,
               .seed = run::Fingerprint().add(seed).add(weight.name).value()};
    rotated->set_noise(noise);
  }
}

/// Blocks are noisy while it lives.
class NoisyBlocks {
 public:
  NoisyBlocks(Workbench& bench, const circuit::BlockReadout& readout) : bench_(bench) {
    set_noise(bench_, readout);
  }
  NoisyBlocks(const NoisyBlocks&) = delete;
  NoisyBlocks& operator=(const NoisyBlocks&) = delete;
  ~NoisyBlocks() { set_noise(bench_, std::nullopt); }

 private:
  Workbench& bench_;
};

}  // namespace

void study_noise(Workbench& bench) {
  if (bench.options.noise.error_rates.empty()) return;
  bench.result.noise = empty_map(bench);
  NoiseMap& map = *bench.result.noise;
  const std::vector<std::int64_t> shots = all_shots(bench.options.noise);
  const std::size_t total = map.perplexity.size();
  KeptPoints points(bench, noise_stage(bench.job, bench.control.values), total);
  ProgressLine progress(bench.progress());
  for (const double error_rate : map.error_rates)
    for (const std::int64_t count : shots) {
      const std::size_t place = points.next();
      const ScoredPoint point = points.take([&] {
        const NoisyBlocks noisy(bench, readout_of(bench.options, error_rate, count));
        return ScoredPoint{.score = bench.score_changed()};
      });
      map.perplexity[place] = point.score.headline().value;
      bench.save();
      progress.update(static_cast<double>(place + 1) / static_cast<double>(total),
                      fmt::format("point {} of {}: error rate {}: perplexity {:.4e}", place + 1,
                                  total, error_rate, map.perplexity[place]));
    }
}

}  // namespace rankine::compress
