#include "models/evaluation/options.hpp"

#include <fmt/format.h>

#include <utility>

namespace rankine::models {

namespace {

void declare_text(deck::Schema& schema, TextOptions& text) {
  auto section =
      schema.section("evaluate", "How the model is scored: on which text, or how on images.");
  section.keyword("text", text.text)
      .describe(
          "A text file in UTF-8, or a .npy file of token ids, where each row of two axes is a "
          "window of its own; empty to generate only.");
  section.keyword("window_length", text.window_length)
      .range(2, 100'000'000)
      .unit("tokens")
      .describe("Tokens the model sees at once; the first of them is not predicted.");
  section.keyword("stride", text.stride)
      .range(0, 100'000'000)
      .unit("tokens")
      .describe(
          "From one window to the next; 0 takes window_length. A smaller stride gives sliding "
          "windows, of which only the new tokens are scored.");
  section.keyword("max_windows", text.max_windows)
      .range(0, 1'000'000'000'000)
      .describe("Windows scored, from the beginning of the text; 0 for all.");
  section.keyword("beginning_of_sequence", text.beginning_of_sequence, beginning_names)
      .describe(
          "Where the beginning-of-sequence token stands: where the tokenizer puts it in the whole "
          "text, nowhere, or first in each window (it then counts in window_length).");
  section.keyword("reference_model", text.reference_model)
      .describe(
          "Folder of a second checkpoint with the same vocabulary: KL divergence from it and "
          "agreement of the top tokens are computed; empty for none.");
}

void declare_tasks(deck::Schema& schema, TaskOptions& tasks) {
  auto section = schema.section("tasks", "Multiple choice, by the likelihood of each choice.");
  section.keyword("files", tasks.files)
      .allow_empty()
      .describe(
          "Files of JSON lines {context, choices, answer}, each a task of its own; they need a "
          "tokenizer.json.");
  section.keyword("max_items", tasks.max_items)
      .range(0, 1'000'000'000)
      .describe("Items scored, from the beginning of each file; 0 for all.");
}

void declare_image_scoring(deck::Schema& schema, ImageScoringOptions& images) {
  auto section = schema.section("evaluate", "");
  section.keyword("batch_size", images.batch_size)
      .range(1, 1'000'000)
      .describe("Images that a rank computes at once.");
  section.keyword("write_logits", images.write_logits)
      .describe("Whether the logits of the test images stand in the result file.");
  section.keyword("target_escape", images.target_escape)
      .at_least(0)
      .below(1)
      .describe(
          "With data.good_class: the fraction of the defective validation images that the "
          "threshold may let pass.");
}

void declare_generate(deck::Schema& schema, GenerateOptions& generate) {
  auto section = schema.section("generate", "Sample continuations.");
  section.keyword("prompts", generate.prompts)
      .allow_empty()
      .describe("Texts to continue; they need a tokenizer.json.");
  section.keyword("prompt_tokens", generate.prompt_tokens)
      .range(0, 2147483647)
      .allow_empty()
      .describe("Token ids of one more prompt; needs no tokenizer.");
  section.keyword("tokens", generate.tokens)
      .range(1, 1'000'000)
      .unit("tokens")
      .describe(
          "Length of a continuation, at most; it ends with an end token of the model, or where the "
          "context is full.");
  section.keyword("temperature", generate.temperature)
      .at_least(0)
      .describe("0 takes the most likely token each time; larger values draw more freely.");
  section.keyword("top_k", generate.top_k)
      .range(0, 2147483647)
      .describe("Draw among this many most likely tokens; 0 for all.");
  section.keyword("seed", generate.seed)
      .range(0, 9007199254740992.0)
      .describe("Of the random numbers; equal seeds give equal continuations.");
}

void check_text(const EvaluateOptions& options, deck::Findings& findings) {
  const TextOptions& text = options.evaluate;
  if (text.stride > text.window_length)
    findings.add("evaluate.stride",
                 {.what = fmt::format("evaluate.stride = {} is larger than evaluate.window_length "
                                      "= {}",
                                      text.stride, text.window_length),
                  .why = "tokens between the windows would never be scored",
                  .advice = "Choose a stride of at most the window's length."});
  if (text.text.empty() && !text.reference_model.empty())
    findings.add("evaluate.reference_model",
                 {.what = "evaluate.reference_model is set without evaluate.text",
                  .why = "models are compared on a text",
                  .advice = "Name a text file under [evaluate]."});
}

/// A network that is drawn at random knows nothing.
void check_images(const EvaluateOptions& options, deck::Findings& findings) {
  if (options.model.path.empty())
    findings.add("model.path", {.what = "model.path is not set",
                                .why = "a network with random weights has nothing to show",
                                .advice = "Name the checkpoint of the network."});
  if (!options.data.is_given())
    findings.add("data.test_images", {.what = "neither data.test_images nor data.images is set",
                                      .why = "there is nothing to score",
                                      .advice = "Name images and labels under [data]."});
  for (const char* key :
       {"evaluate.text", "tasks.files", "generate.prompts", "generate.prompt_tokens"})
    findings.expect_unused(key, "model.architecture names an image network, which takes images",
                           "Leave it out, or name a language model in model.path alone.");
}

void check_work(const EvaluateOptions& options, deck::Findings& findings) {
  if (options.model.is_image_network()) return check_images(options, findings);
  for (const char* key : {"data.images", "data.test_images"})
    findings.expect_unused(key, "without model.architecture the model is a language model",
                           "Name the architecture of the image network.");
  if (!options.evaluate.text.empty() || !options.tasks.files.empty() ||
      options.generate.is_wanted())
    return;
  findings.add("evaluate.text",
               {.what = "evaluate.text is not set",
                .why = "there is nothing to score, no task and no prompt to continue",
                .advice = "Name a text file under [evaluate], tasks under [tasks], or give prompts "
                          "under [generate]."});
}

}  // namespace

void declare_scoring(deck::Schema& schema, EvaluateOptions& options, std::string teams) {
  schema.keyword("title", options.title)
      .describe("A sentence about the run; stands in tables and figures.");
  declare_model(schema, options.model);
  declare_text(schema, options.evaluate);
  declare_tasks(schema, options.tasks);
  declare_image_scoring(schema, options.images);
  declare_data(schema, options.data);
  run::declare_parallel(schema, options.parallel, std::move(teams));
  run::declare_run(schema, options.run);
  run::declare_output(schema, options.output_file);
  schema.check([&](deck::Findings& findings) { check_text(options, findings); });
}

void declare_keywords(deck::Schema& schema, EvaluateOptions& options) {
  declare_scoring(schema, options);
  declare_generate(schema, options.generate);
  schema.check([&](deck::Findings& findings) { check_work(options, findings); });
}

}  // namespace rankine::models
