#include "models/language/generation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <span>

#include "core/errors.hpp"

namespace rankine::models {

using torch::Tensor;

namespace {

/// Logits of the last position, taken from rank 0 of the team so that rounding cannot part ranks.
std::vector<double> last_logits(const LanguageModel& model, const Tensor& hidden) {
  const Tensor last = hidden.narrow(0, hidden.size(0) - 1, 1);
  const Tensor logits = model.logits(last).to(torch::kFloat64).contiguous();
  std::vector<double> values(logits.data_ptr<double>(), logits.data_ptr<double>() + logits.numel());
  model.team().broadcast(std::span(values), 0);
  if (!std::ranges::all_of(values, [](double logit) { return std::isfinite(logit); }))
    throw known_to_all(
        model.team().size(),
        NumericalError("a continuation meets logits that are not finite (the model overflows). Try "
                       "model.precision = \"float64\", or check the checkpoint."));
  return values;
}

/// In [0, 1), from the engine's bits alone: the same with every standard library.
double uniform(std::mt19937_64& engine) { return static_cast<double>(engine() >> 11) * 0x1p-53; }

}  // namespace

std::int64_t draw(const std::vector<double>& logits, const Sampling& sampling, double uniform) {
  std::vector<std::int64_t> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  const auto more_likely = [&](std::int64_t a, std::int64_t b) {
    const double first = logits[static_cast<std::size_t>(a)];
    const double second = logits[static_cast<std::size_t>(b)];
    return first != second ? first > second : a < b;
  };
  const bool greedy = sampling.temperature == 0;
  const auto all = static_cast<std::int64_t>(ids.size());
  const std::int64_t kept = greedy ? 1 : sampling.top_k == 0 ? all : std::min(sampling.top_k, all);
  std::partial_sort(ids.begin(), ids.begin() + kept, ids.end(), more_likely);
  if (greedy) return ids.front();
  std::vector<double> cumulative;
  double sum = 0;
  for (std::int64_t i = 0; i < kept; ++i) {
    const double gap = logits[static_cast<std::size_t>(ids[static_cast<std::size_t>(i)])] -
                       logits[static_cast<std::size_t>(ids.front())];
    cumulative.push_back(sum += std::exp(gap / sampling.temperature));
  }
  const auto place = std::upper_bound(cumulative.begin(), cumulative.end() - 1, uniform * sum);
  return ids[static_cast<std::size_t>(place - cumulative.begin())];
}

std::vector<std::int64_t> continue_sequence(const LanguageModel& model,
                                            const std::vector<std::int64_t>& prompt,
                                            const Sampling& sampling) {
  const torch::NoGradGuard no_gradients;
  const auto length = static_cast<std::int64_t>(prompt.size());
  const ModelConfig& config = model.config();
  const std::int64_t tokens = std::min(sampling.tokens, config.context - length + 1);
  if (tokens <= 0) return {};
  KeyValueCache cache = model.make_cache(length + tokens - 1);
  std::mt19937_64 engine(sampling.seed);
  std::vector<std::int64_t> next = prompt, added;
  const auto is_end = [&](std::int64_t id) {
    return std::ranges::find(config.end_of_sequence, id) != config.end_of_sequence.end();
  };
  while (static_cast<std::int64_t>(added.size()) < tokens) {
    const Tensor hidden = model.hidden_states(torch::tensor(next, torch::kInt64), &cache);
    next = {draw(last_logits(model, hidden), sampling, uniform(engine))};
    added.push_back(next.front());
    if (is_end(next.front())) break;
  }
  return added;
}

}  // namespace rankine::models
