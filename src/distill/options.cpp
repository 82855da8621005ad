#include "distill/options.hpp"

#include <fmt/format.h>

#include "compress/job/option_checks.hpp"
#include "core/text_format.hpp"

namespace rankine::distill {

namespace {

void declare_slices(deck::Schema& schema, SliceOptions& slices) {
  auto section = schema.section(
      "slices", "Into which parts the network is cut, each of which is trained by itself.");
  section.keyword("by", slices.by, slices_by_names)
      .describe(
          "The least parts that no skip connection leaves, one for each layer outside residual "
          "blocks; residual blocks and layers of a transformer alone; or those of slices.list. "
          "Parts without a weight that is replaced are passed over.");
  section.keyword("list", slices.list)
      .allow_empty()
      .describe(
          "Names of such parts as the checkpoint has them (layer1.0, conv1, model.layers.3), or "
          "from one to another (layer1.0..layer1.2), each entry a slice.");
  section.keyword("count", slices.count)
      .range(0, 1'000'000)
      .describe(
          "Neighbours are joined to as many slices, the most costly of which costs as little as "
          "can be; 0 for slices as slices.by says.");
}

void declare_local_training(deck::SectionDeclaration& section, TrainingOptions& training) {
  section.keyword("mode", training.mode, mode_names)
      .describe(
          "fit-only: weights that fit the layers' own inputs, as rankine-compress makes them; "
          "local: each slice is then trained to give what the original's slice gives; global: the "
          "whole network is trained in place of that, from the fit; hybrid: local, then global.");
  section.keyword("sweeps", training.sweeps)
      .range(0, 10)
      .describe(
          "Of image networks: so many times more all weights are fitted at once, now to make of "
          "what they read in the compressed network what the original's make of what they read.");
  section.keyword("epochs", training.epochs)
      .range(0, 1'000'000)
      .describe(
          "Passes of each slice through the training images, or through the windows that "
          "calibration.windows counts; of the whole network with mode = \"global\".");
  section.keyword("batch_size", training.batch_size)
      .range(1, 1'000'000)
      .describe("Images or windows of a step.");
  section.keyword("learning_rate", training.learning_rate)
      .above(0)
      .describe("The largest of AdamW, after the warm-up; it falls as a cosine to a tenth.");
  section.keyword("learning_rates", training.learning_rates)
      .above(0)
      .allow_empty()
      .describe("One for each slice, in the order of the network; empty for learning_rate.");
  section.keyword("seed", training.seed)
      .range(0, 9007199254740992.0)
      .describe(
          "Of the order of the samples, for each slice apart, so that it does not matter which "
          "ranks train it.");
  section.keyword("warm_up", training.warm_up)
      .range(0, 1)
      .describe("Part of the steps in which the learning rate rises.");
  section.keyword("held_out", training.held_out)
      .above(0)
      .below(1)
      .describe(
          "Part of the samples that no slice is trained on, at least one: there the best state of "
          "each is chosen.");
  section.keyword("fail_on_divergence", training.fail_on_divergence)
      .describe(
          "Whether a slice that diverges ends the run (exit code 4) when all slices are finished; "
          "else it keeps its fit.");
  section.keyword("score_slices", training.score_slices)
      .describe("Scores the network with each slice alone replaced as well.");
}

void declare_distill(deck::Schema& schema, TrainingOptions& training) {
  auto section = schema.section("distill", "How slices, and the network, are trained.");
  declare_local_training(section, training);
  section.keyword("targets", training.targets, global_target_names)
      .describe(
          "What the whole network is trained to say: labels or next tokens, or what the original "
          "says.");
  section.keyword("global_epochs", training.global_epochs)
      .range(0, 1'000'000)
      .describe("Of mode = \"hybrid\": passes of the whole network, after the slices.");
  section.keyword("global_learning_rate", training.global_learning_rate)
      .above(0)
      .describe("The same, the largest rate.");
  section.keyword("crop", training.crop)
      .range(0, 10'000)
      .unit("pixels")
      .describe(
          "Zeros around an image on which the whole network is trained, out of which its size is "
          "cut anew in each epoch.");
  section.keyword("flip", training.flip)
      .describe("Mirrors every other image on which the whole network is trained.");
}

void check_slices(const DistillOptions& options, deck::Findings& findings) {
  const bool is_list = options.slices.by == SlicesBy::list;
  if (is_list && options.slices.list.empty())
    findings.add("slices.list", {.what = "slices.list is empty",
                                 .why = "slices.by = \"list\" takes slices from it",
                                 .advice = "Name layers or blocks, or set slices.by = \"layer\"."});
  if (!is_list)
    findings.expect_unused(
        "slices.list",
        fmt::format("slices.by = \"{}\" makes them", name_in(slices_by_names, options.slices.by)),
        "Set slices.by = \"list\", or drop the list.");
  else
    findings.expect_unused("slices.count", "slices.list says how many there are",
                           "Drop it, or set slices.by = \"layer\".");
}

/// Its circuits are declared in decks of rankine-compress alone.
void check_form(const DistillOptions& options, deck::Findings& findings) {
  if (options.compression.method.form == weights::Form::disentangled)
    findings.add("method.form", {.what = "method.form = \"disentangled\" is asked for",
                                 .why = "rankine-distill does not make this form",
                                 .advice = "Choose \"mpo\" or another form."});
}

/// Shared values have places that no gradient moves; a dense weight has as many numbers as before.
void check_trained_form(const DistillOptions& options, deck::Findings& findings) {
  const weights::Form form = options.compression.method.form;
  if (!options.trains_slices() ||
      (form != weights::Form::clustered && form != weights::Form::dense))
    return;
  findings.add("method.form",
               {.what = fmt::format("method.form = \"{}\" stands beside distill.mode = \"{}\"",
                                    name(form), name_in(mode_names, options.distill.mode)),
                .why = "slices are trained in forms that are products of tensors",
                .advice = "Choose \"tucker\", \"mpo\", \"low-rank\" or \"pivoted\", or another "
                          "mode."});
}

void check_epochs(const DistillOptions& options, deck::Findings& findings) {
  const auto refuse_none = [&](const char* keyword, const char* what) {
    findings.add(keyword, {.what = fmt::format("{} is 0", keyword),
                           .why = fmt::format("distill.mode = \"{}\" trains {}",
                                              name_in(mode_names, options.distill.mode), what),
                           .advice = "Set some epochs, or another mode."});
  };
  if (options.distill.epochs == 0 && options.distill.mode != Mode::fit_only)
    refuse_none("distill.epochs", options.trains_slices() ? "slices" : "the network");
  if (options.distill.global_epochs == 0 && options.distill.mode == Mode::hybrid)
    refuse_none("distill.global_epochs", "the network after its slices");
  if (!options.trains_slices())
    findings.expect_unused("distill.learning_rates",
                           fmt::format("distill.mode = \"{}\" trains no slice",
                                       name_in(mode_names, options.distill.mode)),
                           "Drop it, or set distill.mode = \"local\".");
}

void check_sweeps(const DistillOptions& options, deck::Findings& findings) {
  if (options.distill.sweeps == 0) return;
  const compress::CompressOptions& compression = options.compression;
  if (!compression.scoring.model.is_image_network())
    findings.add("distill.sweeps",
                 {.what = fmt::format("distill.sweeps = {} is asked for a language model",
                                      options.distill.sweeps),
                  .why = "sweeps are for image networks",
                  .advice = "Drop distill.sweeps."});
  else if (!compression.method.needs_inputs())
    findings.add(
        "distill.sweeps",
        {.what = fmt::format("distill.sweeps = {} stands beside method.weighting = \"none\"",
                             options.distill.sweeps),
         .why = "a sweep fits weights to the inputs they have in the compressed network",
         .advice = "Set method.weighting = \"full\", or drop distill.sweeps."});
}

/// Without a trained network there is nothing to distil.
void check_teacher(const DistillOptions& options, deck::Findings& findings) {
  const models::EvaluateOptions& scoring = options.compression.scoring;
  if (scoring.model.is_image_network()) {
    if (scoring.model.path.empty())
      findings.add("model.path", {.what = "model.path is not set",
                                  .why = "a network with random weights has nothing to teach",
                                  .advice = "Name the checkpoint of the network."});
    return;
  }
  if (options.compression.calibration.text.empty() && options.distill.mode != Mode::fit_only &&
      !options.compression.needs_calibration())
    findings.add("calibration.text", {.what = "calibration.text is not set",
                                      .why = "the model is trained on its windows",
                                      .advice = "Name a text file under [calibration]."});
  if (options.distill.score_slices && scoring.evaluate.text.empty())
    findings.add("evaluate.text", {.what = "evaluate.text is not set beside distill.score_slices",
                                   .why = "each of the slices is scored",
                                   .advice = "Name a text, or drop distill.score_slices."});
}

constexpr const char* teams_that_train =
    "Teams of ranks that train different slices at the same time, each with all ranks of a team; "
    "those of a language model share the rows of its weights. 0: a team for each rank.";

}  // namespace

std::string mode_text(const DistillOptions& options, std::int64_t slices, int teams) {
  const auto mode = name_in(mode_names, options.distill.mode);
  if (!options.trains_slices()) return fmt::format("; {}", mode);
  return fmt::format("; {}, {} over {}", mode, counted(slices, "slice"), counted(teams, "team"));
}

void declare_keywords(deck::Schema& schema, DistillOptions& options) {
  options.compression.scoring.parallel.teams = 0;
  models::declare_scoring(schema, options.compression.scoring, teams_that_train);
  compress::declare_compression(schema, options.compression);
  declare_slices(schema, options.slices);
  declare_distill(schema, options.distill);
  schema.check([&](deck::Findings& findings) {
    compress::check_compression(options.compression, findings);
    check_slices(options, findings);
    check_form(options, findings);
    check_trained_form(options, findings);
    check_epochs(options, findings);
    check_sweeps(options, findings);
    check_teacher(options, findings);
  });
}

}  // namespace rankine::distill
