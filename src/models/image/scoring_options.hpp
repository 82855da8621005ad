// How image networks are scored: their part of the section [evaluate].
#pragma once

#include <cstdint>

#include "deck/schema.hpp"

namespace rankine::models {

struct ImageScoringOptions {
  std::int64_t batch_size = 100;  ///< images that go through the network at once
  bool write_logits = false;
  double target_escape = 0.01;  ///< of defective validation parts, at most; sets the threshold
};

void declare_image_scoring(deck::Schema& schema, ImageScoringOptions& scoring);

}  // namespace rankine::models
