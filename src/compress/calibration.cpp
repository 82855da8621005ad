#include "compress/calibration.hpp"

#include "core/log.hpp"
#include "core/text_format.hpp"

namespace rankine::compress {

namespace {

InputWeighting input_weighting(const std::string& weighting) {
  if (weighting == "none") return InputWeighting::none;
  return weighting == "diagonal" ? InputWeighting::diagonal : InputWeighting::full;
}

void add_inputs(Workbench& bench, ErrorNorm& norm) {
  double& seconds = bench.result.seconds.inputs;
  bench.timed(seconds, [&] {
    norm.input_moments = measure_inputs(bench.model, bench.world, bench.teams, bench.names,
                                        bench.job.calibration_windows);
  });
  log().info("input moments of {} windows measured in {}", bench.job.calibration_windows.size(),
             format_duration(seconds));
}

void add_gradients(Workbench& bench, ErrorNorm& norm) {
  double& seconds = bench.result.seconds.gradients;
  bench.timed(seconds, [&] {
    norm.output_moments = measure_output_gradients(bench.model, bench.world, bench.teams,
                                                   bench.names, bench.job.gradient_windows);
  });
  log().info("output gradients of {} windows measured in {}", bench.job.gradient_windows.size(),
             format_duration(seconds));
}

}  // namespace

ErrorNorm measure_error_norm(Workbench& bench) {
  const MethodOptions& method = bench.options.method;
  ErrorNorm norm{.inputs = input_weighting(method.weighting),
                 .ridge = bench.options.calibration.ridge};
  if (method.needs_inputs()) add_inputs(bench, norm);
  if (method.needs_gradients()) add_gradients(bench, norm);
  return norm;
}

}  // namespace rankine::compress
