#include "compress/experiments/noise_map.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/text_format.hpp"
#include "models/evaluation/results.hpp"

namespace rankine::compress {

void write_noise_map(files::ResultFile& file, const NoiseMap& map) {
  const std::string path = "/results/noise/";
  const std::size_t errors = map.error_rates.size(), shots = map.shots.size();
  models::write_count(file, path + "qubits", map.qubits, "qubits of a block as a circuit");
  models::write_count(file, path + "gates", map.gates, "two-qubit gates of a block");
  file.write(path + "error_rates", map.error_rates, {errors},
             {"depolarising probability of a two-qubit gate", "1", {"error_rates"}});
  file.write(path + "shots", map.shots, {shots},
             {"measurements of a block; infinitely many last", "1", {"shots"}});
  file.write(path + "contrast", map.contrast, {errors},
             {"part of the rotated amplitudes that is left", "1", {"error_rates"}});
  file.write(path + "deviation", map.deviation, {errors, shots},
             {"standard deviation of an amplitude in units of the norm of its block",
              "1",
              {"error_rates", "shots"}});
  file.write(path + "perplexity", map.perplexity, {errors, shots},
             {"perplexity with noisy blocks; NaN where not done", "1", {"error_rates", "shots"}});
  if (map.unadapted)
    models::write_scalar(file, path + "perplexity_unadapted", *map.unadapted,
                         "perplexity without the adapter", "1");
  if (map.exact)
    models::write_scalar(file, path + "perplexity_exact", *map.exact,
                         "perplexity with exact blocks", "1");
}

std::string noise_table(const NoiseMap& map) {
  std::string table =
      fmt::format("blocks of {}, {} on two qubits\n{:<12}", counted(map.qubits, "qubit"),
                  counted(map.gates, "gate"), "error rate");
  for (const double shots : map.shots)
    table += std::isinf(shots) ? fmt::format("  {:>12}", "exact")
                               : fmt::format("  {:>12}", static_cast<std::int64_t>(shots));
  table += "   perplexity at each number of shots\n";
  for (std::size_t e = 0; e < map.error_rates.size(); ++e) {
    table += fmt::format("{:<12.4g}", map.error_rates[e]);
    for (std::size_t s = 0; s < map.shots.size(); ++s)
      table += fmt::format("  {:12.6e}", map.perplexity[e * map.shots.size() + s]);
    table += "\n";
  }
  return table;
}

}  // namespace rankine::compress
