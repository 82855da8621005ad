#include "models/language/speed.hpp"

#include <algorithm>
#include <limits>

#include "core/timer.hpp"
#include "models/language/language_model.hpp"
#include "models/language/losses.hpp"

namespace rankine::models {

using torch::Tensor;

namespace {

/// Different ones, of the whole vocabulary.
Tensor some_tokens(const LanguageModel& model, std::int64_t count) {
  constexpr std::int64_t step = 7919;  // a prime
  return (torch::arange(count, torch::kInt64) * step).remainder(model.config().vocabulary_size);
}

class Measurement {
 public:
  Measurement(const LanguageModel& model, const SpeedProbe& probe) : model_(model), probe_(probe) {}

  Speed once() {
    Speed speed;
    generate(speed);
    score(speed);
    return speed;
  }

 private:
  template <class Work>
  double seconds(const Work& work) const {
    model_.team().barrier();
    const Stopwatch watch;
    work();
    return model_.team().max(watch.seconds());
  }

  void generate(Speed& speed) const {
    KeyValueCache cache = model_.make_cache(probe_.prompt + probe_.tokens);
    Tensor hidden;
    const auto add = [&](const Tensor& ids) { hidden = model_.hidden_states(ids, &cache); };
    const auto head = [&] { model_.logits(hidden.narrow(0, hidden.size(0) - 1, 1)); };
    speed.first_token = seconds([&] {
      add(some_tokens(model_, probe_.prompt));
      head();
    });
    for (std::int64_t t = 0; t < probe_.tokens; ++t) {
      const double layers = seconds([&] { add(some_tokens(model_, 1)); });
      const double output = seconds(head);
      speed.token += (layers + output) / static_cast<double>(probe_.tokens);
      speed.token_head += output / static_cast<double>(probe_.tokens);
    }
  }

  void score(Speed& speed) const {
    Tensor hidden;
    const double layers =
        seconds([&] { hidden = model_.hidden_states(some_tokens(model_, probe_.window)); });
    const std::vector<std::int64_t> targets(static_cast<std::size_t>(probe_.window), 0);
    speed.scoring_head = seconds([&] { score_tokens(model_, hidden, targets); });
    speed.scored_window = layers + speed.scoring_head;
  }

  const LanguageModel& model_;
  const SpeedProbe& probe_;
};

}  // namespace

SpeedProbe SpeedProbe::within(std::int64_t context) const {
  SpeedProbe probe = *this;
  probe.window = std::min(window, context);
  probe.tokens = std::clamp<std::int64_t>(context / 2, 1, tokens);
  probe.prompt = std::clamp<std::int64_t>(context - probe.tokens, 1, prompt);
  return probe;
}

Speed measure_speed(const LanguageModel& model, const SpeedProbe& probe) {
  const torch::InferenceMode no_gradients;
  Measurement measurement(model, probe);
  constexpr double none = std::numeric_limits<double>::infinity();
  Speed best{none, none, none, none, none};
  measurement.once();  // memory is got, and rows that a form keeps are made
  for (std::int64_t repeat = 0; repeat < probe.repeats; ++repeat) {
    const Speed speed = measurement.once();
    for (const auto part : {&Speed::first_token, &Speed::token, &Speed::token_head,
                            &Speed::scored_window, &Speed::scoring_head})
      best.*part = std::min(best.*part, speed.*part);
  }
  return best;
}

}  // namespace rankine::models
