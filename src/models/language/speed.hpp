// How fast a language model is: the first token behind a prompt, every further one, and windows
// that are scored.
#pragma once

#include <cstdint>

namespace rankine::models {

class LanguageModel;

/// What is measured, in tokens.
struct SpeedProbe {
  std::int64_t prompt = 64;
  std::int64_t tokens = 8;    ///< generated behind it
  std::int64_t window = 256;  ///< scored at once
  std::int64_t repeats = 1;   ///< of which the fastest counts

  /// Cut to what fits the context.
  SpeedProbe within(std::int64_t context) const;
};

/// Of the slowest rank, in seconds.
struct Speed {
  double first_token = 0;    ///< prompt and first token
  double token = 0;          ///< a further one, on average
  double token_head = 0;     ///< of that the output weight
  double scored_window = 0;  ///< a window
  double scoring_head = 0;   ///< of that output weight and losses
  double generated_per_second() const { return 1 / token; }
  double scored_per_second(const SpeedProbe& probe) const {
    return static_cast<double>(probe.window) / scored_window;
  }
};

/// On arbitrary tokens. Collective over the team, with equal results on its ranks.
Speed measure_speed(const LanguageModel& model, const SpeedProbe& probe);

}  // namespace rankine::models
