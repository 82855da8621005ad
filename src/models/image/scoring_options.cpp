#include "models/image/scoring_options.hpp"

namespace rankine::models {

void declare_image_scoring(deck::Schema& schema, ImageScoringOptions& scoring) {
  auto section = schema.section("evaluate", "What a model is scored on.");
  section.keyword("batch_size", scoring.batch_size)
      .range(1, 1'000'000)
      .unit("images")
      .describe("Images that go through an image network at once.");
  section.keyword("write_logits", scoring.write_logits)
      .describe("Writes the logits of all test images into the result file.");
  section.keyword("target_escape", scoring.target_escape)
      .range(0, 1)
      .describe(
          "Part of the defective validation images that may be passed as good: where the threshold "
          "of an inspection (data.good_class) is set.");
}

}  // namespace rankine::models
