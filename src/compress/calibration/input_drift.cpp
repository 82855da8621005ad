#include "compress/calibration/input_drift.hpp"

#include <queue>

#include "core/contracts.hpp"

namespace rankine::compress {

using models::Batch;
using models::Network;
using models::Observation;
using models::Observer;
using torch::Tensor;

namespace {

/// Samples that pass together: the inputs of all weights of a stage are kept until the changed
/// network has made its own.
constexpr std::int64_t samples_at_once = 8;

/// What a weight of the original reads, until the changed one is given the same.
class PairedInputs {
 public:
  PairedInputs(const Tensor& rows, SecondMoment& moment, Tensor& change)
      : rows_(rows), moment_(moment), change_(change) {}

  void keep(const Tensor& x) { originals_.push(x); }
  void pair(const Tensor& x) {
    RANKINE_EXPECTS(!originals_.empty(), "both networks show their inputs in the same pieces");
    const Tensor lost = (originals_.front() - x).mm(rows_.t());
    originals_.pop();
    moment_.add(x);
    change_.add_(lost.t().mm(x));
  }

 private:
  Tensor rows_;
  SecondMoment& moment_;
  Tensor& change_;
  std::queue<Tensor> originals_;
};

/// Both networks take the samples in step.
void pass_both(const Network& original, const Network& changed, const Tensor& samples) {
  const auto stages = original.stages(), changed_stages = changed.stages();
  Tensor x = samples, y = samples;
  for (std::size_t s = 0; s < stages.size(); ++s) {
    x = stages[s].forward(x);
    y = changed_stages[s].forward(y);
  }
}

}  // namespace

InputDrift measure_drift(Network& original, Network& changed, const parallel::Communicator& alone,
                         const std::vector<std::string>& names, const std::vector<Batch>& batches) {
  const torch::NoGradGuard no_gradients;
  InputDrift drift;
  for (const std::string& name : names) {
    const auto weight = weight_of(original, name);
    drift.moments.emplace_back(alone, weight->inputs(), torch::kFloat64);
    drift.changes.push_back(torch::zeros({weight->outputs(), weight->inputs()}, torch::kFloat64));
  }
  std::vector<PairedInputs> pairs;
  for (std::size_t w = 0; w < names.size(); ++w)
    pairs.emplace_back(weight_of(original, names[w])->own_rows(), drift.moments[w],
                       drift.changes[w]);
  std::vector<Observation> observations;
  for (std::size_t w = 0; w < names.size(); ++w) {
    PairedInputs& pair = pairs[w];
    observations.emplace_back(original.slot(names[w]),
                              Observer{.of_inputs = [&pair](const Tensor& x) { pair.keep(x); }});
    observations.emplace_back(changed.slot(names[w]),
                              Observer{.of_inputs = [&pair](const Tensor& x) { pair.pair(x); }});
  }
  for (const Batch& batch : batches)
    if (batch.inputs.defined())
      for (const Tensor& samples : batch.inputs.split(samples_at_once))
        pass_both(original, changed, samples);
  return drift;
}

}  // namespace rankine::compress
