#include "compress/job/option_checks.hpp"

#include <fmt/format.h>

#include "compress/job/adapter_checks.hpp"
#include "compress/job/adapter_plan.hpp"

namespace rankine::compress {

using weights::SizedBy;

namespace {

void check_calibration(const CompressOptions& options, deck::Findings& findings) {
  if (options.needs_calibration() && options.calibration.text.empty() && !is_outline(options))
    findings.add("calibration.text",
                 {.what = "calibration.text is not set",
                  .why = options.needs_inputs()
                             ? fmt::format("method.weighting = \"{}\" needs activations",
                                           name(options.method.weighting))
                             : "gradients, FermiGrad, healing and adapters need the model's loss "
                               "on a text",
                  .advice = "Name a text file under [calibration], or use method.weighting = "
                            "\"none\" with another allocation."});
  const double clip = options.calibration.gradients.clip;
  if (clip > 0 && clip < 1)
    findings.add("calibration.gradient_clip",
                 {.what = fmt::format("calibration.gradient_clip = {} is below 1", clip),
                  .why = "norms are brought between the mean divided by it and the mean times it",
                  .advice = "Use 10 for a tenth to ten times the mean, or 0 for none."});
}

/// Language models have no kernels.
void check_form(const MethodOptions& method, deck::Findings& findings) {
  if (method.sized_by() == SizedBy::kernel_ranks)
    findings.add(
        "method.form",
        {.what =
             fmt::format("method.form = \"{}\" is asked for a language model", name(method.form)),
         .why = "this form is one of convolution kernels, and its weights are matrices",
         .advice = "Choose \"low-rank\", \"pivoted\", \"mpo\", \"disentangled\", \"clustered\", "
                   "\"narrowed\" or \"dense\"."});
}

/// Which norms a form can be made in.
void check_weighting(const MethodOptions& method, deck::Findings& findings) {
  if (method.sized_by() == SizedBy::values && method.weighting == Weighting::full &&
      method.rounds == 0)
    findings.add(
        "method.weighting",
        {.what = fmt::format("method.weighting = \"full\" stands beside method.form = \"{}\" and "
                             "method.rounds = 0",
                             name(method.form)),
         .why = "K-means counts entries one by one",
         .advice = "Set method.rounds = 3, or use \"none\", \"diagonal\" or \"two-sided\"."});
}

/// A budget of bits is shared out by errors that can be added.
void check_bits(const CompressOptions& options, deck::Findings& findings) {
  if (options.ranks.bits_per_weight == 0) return;
  const MethodOptions& method = options.method;
  const auto refuse = [&](const char* keyword, std::string what, const char* why,
                          const char* advice) {
    findings.add(keyword, {.what = std::move(what) + " stands beside ranks.bits_per_weight",
                           .why = why,
                           .advice = advice});
  };
  if (method.rounds == 0)
    refuse("method.rounds", "method.rounds = 0",
           "bits go where errors under the second moments of the inputs are largest",
           "Set method.rounds = 3, or drop ranks.bits_per_weight.");
  if (options.ranks.allocation != Allocation::additive)
    refuse("ranks.allocation",
           fmt::format("ranks.allocation = \"{}\"", name(options.ranks.allocation)),
           "bits go where they lower the sum of the squared errors most",
           "Set ranks.allocation = \"additive\", or drop ranks.bits_per_weight.");
  if (method.storage == weights::Storage::four_bits)
    refuse("method.storage", "method.storage = \"4-bit\"",
           "shared values of 4 bits are no longer those that were chosen",
           "Set method.storage = \"float16\", or drop ranks.bits_per_weight.");
  if (method.clusters < 2)
    refuse("method.clusters", "method.clusters = 1", "a weight gets 2 values or more",
           "Set method.clusters = 64.");
}

void check_codebooks(const CompressOptions& options, deck::Findings& findings) {
  const MethodOptions& method = options.method;
  if (method.sized_by() != SizedBy::values) {
    findings.expect_unused(
        "ranks.bits_per_weight",
        fmt::format("method.form = \"{}\" has no shared values", name(method.form)),
        "Set method.form = \"clustered\", or drop it.");
    for (const char* keyword : {"method.codebooks", "method.rounds", "method.start",
                                "method.outlier_share", "method.outlier_choice"})
      findings.expect_unused(
          keyword, fmt::format("method.form = \"{}\" has no shared values", name(method.form)),
          "Set method.form = \"clustered\", or drop it.");
    return;
  }
  if (!method.rows_per_book(1))
    findings.add(
        "method.codebooks",
        {.what = fmt::format("method.codebooks = \"{}\" is no number of rows", method.codebooks),
         .why = "shared values belong to a matrix, a row or so many rows",
         .advice = "Use \"matrix\", \"row\" or a number such as \"4\"."});
  check_bits(options, findings);
  if (method.rounds == 0) return;
  if (method.weighting == Weighting::none || method.weighting == Weighting::diagonal)
    findings.add("method.rounds",
                 {.what = fmt::format("method.rounds = {} stands beside method.weighting = \"{}\"",
                                      method.rounds, name(method.weighting)),
                  .why = "without the second moments of the inputs K-means is exact",
                  .advice = "Set method.weighting = \"full\" or \"two-sided\", or method.rounds "
                            "= 0."});
  constexpr std::int64_t most_values = 256;
  if (method.clusters > most_values)
    findings.add("method.clusters",
                 {.what = fmt::format("method.clusters = {} stands beside method.rounds = {}",
                                      method.clusters, method.rounds),
                  .why = "the best values of a codebook are found together, 256 of them at most",
                  .advice = "Ask for fewer, or set method.rounds = 0."});
}

void check_disentangler(const CompressOptions& options, deck::Findings& findings) {
  const MethodOptions& method = options.method;
  if (method.form != weights::Form::disentangled) {
    for (const char* keyword :
         {"disentangler.gate_size", "disentangler.depth", "disentangler.odd_leg",
          "disentangler.start", "disentangler.sweeps", "disentangler.gradient_steps"})
      findings.expect_unused(keyword,
                             fmt::format("method.form = \"{}\" has no gates", name(method.form)),
                             "Set method.form = \"disentangled\", or drop it.");
    return;
  }
  if (method.weighting == Weighting::none)
    findings.expect_unused("disentangler.gradient_steps",
                           "method.weighting = \"none\" has the best gates one by one",
                           "Drop it, or choose another norm.");
  if (options.ranks.allocation != Allocation::uniform)
    findings.add("ranks.allocation",
                 {.what = fmt::format("ranks.allocation = \"{}\" stands beside method.form = "
                                      "\"disentangled\"",
                                      name(options.ranks.allocation)),
                  .why = "gates make an operator keep more, so that its errors at other bond "
                         "dimensions are not known before",
                  .advice = "Set ranks.allocation = \"uniform\"."});
}

void check_experiments(const CompressOptions& options, deck::Findings& findings) {
  if (options.experiments.names.empty()) return;
  if (options.method.form != weights::Form::clustered)
    findings.add("experiments.names",
                 {.what = fmt::format("experiments.names stands beside method.form = \"{}\"",
                                      name(options.method.form)),
                  .why = "the experiments change shared values",
                  .advice = "Set method.form = \"clustered\", or drop the experiments."});
  if (options.scoring.evaluate.text.empty())
    findings.add("evaluate.text", {.what = "evaluate.text is not set",
                                   .why = "each of the experiments is scored",
                                   .advice = "Name a text, or drop experiments.names."});
}

void check_export(const CompressOptions& options, deck::Findings& findings) {
  if (options.result.format != models::ExportFormat::factorised) return;
  if (options.method.storage == weights::Storage::four_bits)
    findings.add("export.format",
                 {.what = "export.format = \"factorised\" stands beside method.storage = \"4-bit\"",
                  .why = "the modelling file reads factors of 16 bits or more",
                  .advice = "Set export.format = \"native\" or \"dense\"."});
  if (models::has_modelling_class(options.method.form)) return;
  findings.add(
      "export.format",
      {.what = fmt::format("export.format = \"factorised\" stands beside method.form = \"{}\"",
                           name(options.method.form)),
       .why = "the modelling file knows low-rank and pivoted weights",
       .advice = "Set export.format = \"native\" or \"dense\"."});
}

void check_allocation(const CompressOptions& options, deck::Findings& findings) {
  if (options.method.sized_by() == SizedBy::bonds && options.ranks.allocation == Allocation::fermi)
    findings.add(
        "ranks.allocation",
        {.what = fmt::format("ranks.allocation = \"fermi\" stands beside method.form = \"{}\"",
                             name(options.method.form)),
         .why = "an operator of smaller bond dimension is made anew, so its bonds cannot "
                "be faded out one by one",
         .advice = "Set ranks.allocation = \"additive\" or \"uniform\"."});
  if (options.method.weighting == Weighting::two_sided &&
      options.ranks.error_weights == ErrorWeights::output_gradient)
    findings.add("ranks.error_weights", {.what = "ranks.error_weights stands beside "
                                                 "method.weighting = \"two-sided\"",
                                         .why = "that norm has the gradients in it already",
                                         .advice = "Drop one of them."});
  if (options.method.sized_by() != SizedBy::values && !options.is_profile() &&
      options.ranks.bond_dimension > 0 && options.ranks.allocation != Allocation::uniform)
    findings.add("ranks.bond_dimension",
                 {.what = fmt::format("ranks.bond_dimension = {} stands beside ranks.allocation = "
                                      "\"{}\"",
                                      options.ranks.bond_dimension, name(options.ranks.allocation)),
                  .why = "one rank for all leaves nothing to allocate",
                  .advice = "Set ranks.allocation = \"uniform\", or drop ranks.bond_dimension."});
}

/// What is measured with one weight at a time, and what depth counts.
void check_error_weights(const CompressOptions& options, deck::Findings& findings) {
  const RankOptions& ranks = options.ranks;
  const bool has_sums = ranks.allocation != Allocation::uniform;
  const bool is_measured = ranks.error_weights == ErrorWeights::measured;
  if (!is_measured)
    for (const char* keyword : {"ranks.measured_windows", "ranks.measured_ratio"})
      findings.expect_unused(keyword, "no error weights are measured",
                             "Set ranks.error_weights = \"measured\", or drop it.");
  const auto refuse = [&](std::string beside, const char* why, const char* advice) {
    findings.add("ranks.error_weights",
                 {.what = "ranks.error_weights = \"measured\" stands beside " + beside,
                  .why = why,
                  .advice = advice});
  };
  if (is_measured && !options.method.has_ranks())
    refuse(fmt::format("method.form = \"{}\"", name(options.method.form)),
           "errors are measured at ranks of factors",
           "Choose \"low-rank\", \"pivoted\" or \"dense\", or other error weights.");
  if (is_measured && !has_sums)
    refuse("ranks.allocation = \"uniform\"", "equal shares compare no errors",
           "Set ranks.allocation = \"additive\".");
  if (is_measured && ranks.measured_windows > options.calibration.windows)
    findings.add("ranks.measured_windows",
                 {.what = fmt::format("ranks.measured_windows = {} is more than "
                                      "calibration.windows = {}",
                                      ranks.measured_windows, options.calibration.windows),
                  .why = "the first of those are scored",
                  .advice = "Lower it, or use more calibration windows."});
  if (!has_sums || options.method.sized_by() == SizedBy::values)
    findings.expect_unused("ranks.depth_bias", "no ranks are allocated by their errors",
                           "Set ranks.allocation = \"additive\", or drop it.");
  if (ranks.depth_bias == 0)
    findings.expect_unused("ranks.depth_bias_decay", "ranks.depth_bias is 0",
                           "Set that, or drop this.");
}

/// Layers of one width are what other programs read, so there is nothing to allocate.
void check_narrowing(const CompressOptions& options, deck::Findings& findings) {
  if (options.method.sized_by() != SizedBy::units) return;
  findings.expect_unused("ranks.bond_dimension",
                         "hidden units that are left follow ranks.parameter_ratio",
                         "Set that, or drop this.");
  if (options.ranks.allocation == Allocation::uniform) return;
  findings.add("ranks.allocation",
               {.what = fmt::format("ranks.allocation = \"{}\" stands beside method.form = "
                                    "\"narrowed\"",
                                    name(options.ranks.allocation)),
                .why = "all MLPs get the same number of hidden units",
                .advice = "Set ranks.allocation = \"uniform\"."});
}

/// A fit in order needs the moments of what each weight reads, and forms made one by one.
void check_fit(const CompressOptions& options, deck::Findings& findings) {
  if (!options.fit.is_sequential()) {
    for (const char* keyword : {"fit.target", "fit.anchor", "fit.ridge"})
      findings.expect_unused(keyword, "fit.order = \"at-once\" has no use for it",
                             "Set fit.order = \"sequential\", or drop it.");
    return;
  }
  const auto refuse = [&](std::string what, const char* why, const char* advice) {
    findings.add(
        "fit.order",
        {.what = "fit.order = \"sequential\" stands beside " + what, .why = why, .advice = advice});
  };
  const MethodOptions& method = options.method;
  if (method.form == weights::Form::disentangled || method.sized_by() == SizedBy::units)
    refuse(
        fmt::format("method.form = \"{}\"", name(method.form)),
        "forms of this kind are not fitted in order",
        "Choose \"low-rank\", \"pivoted\", \"dense\", \"mpo\" or \"clustered\", or set fit.order "
        "= \"at-once\".");
  if (options.needs_token_moments())
    refuse(fmt::format("calibration.gradient_groups = {}", options.calibration.gradient_groups),
           "tokens count alike in what a weight should answer",
           "Set it to 0, or fit.order = \"at-once\".");
  if (method.sized_by() == SizedBy::values && method.rounds == 0)
    refuse("method.rounds = 0", "K-means counts entries one by one, not what a weight answers",
           "Set method.rounds = 3, or fit.order = \"at-once\".");
  else if (!method.needs_whole_inputs() || !method.needs_inputs())
    refuse(fmt::format("method.weighting = \"{}\"", name(method.weighting)),
           "a fit is made in the norm of what a weight reads",
           "Use \"full\" or \"two-sided\", or set fit.order = \"at-once\".");
  if (options.is_profile())
    refuse("sensitivity.bond_dimensions", "a profile changes one part of the model at a time",
           "Drop one of them.");
}

/// What a profile has no use for.
void check_profile(const CompressOptions& options, deck::Findings& findings) {
  if (!options.is_profile()) return;
  const auto refuse = [&](const char* keyword, std::string what, const char* why,
                          const char* advice) {
    findings.add(keyword, {.what = std::move(what), .why = why, .advice = advice});
  };
  if (options.method.sized_by() == SizedBy::values || options.method.sized_by() == SizedBy::units)
    refuse("method.form",
           fmt::format("method.form = \"{}\" stands beside sensitivity.bond_dimensions",
                       name(options.method.form)),
           "clusters have no bond dimension", "Choose another form.");
  if (options.scoring.evaluate.text.empty())
    refuse("evaluate.text", "evaluate.text is not set beside sensitivity.bond_dimensions",
           "a profile is made of perplexities", "Name a text under [evaluate].");
  if (options.heal.steps > 0 || !options.result.directory.empty())
    refuse("sensitivity.bond_dimensions",
           "sensitivity.bond_dimensions stands beside heal.steps or export.directory",
           "a profile leaves no compressed model behind",
           "Drop them, or leave the list of bond dimensions empty.");
  if (options.method.storage != weights::Storage::exact)
    refuse("method.storage", "method.storage stands beside sensitivity.bond_dimensions",
           "a profile is made of forms whose numbers are not rounded",
           "Set method.storage = \"exact\".");
  if (options.sensitivity.by.empty())
    refuse("sensitivity.by", "sensitivity.by is empty", "the profile has no groups of weights",
           "Name \"layer\", \"kind\" or \"weight\".");
}

/// What only the other kind of model has a use for.
void refuse_unused(deck::Findings& findings, std::initializer_list<const char*> keywords,
                   const char* why, const char* advice) {
  for (const char* keyword : keywords) findings.expect_unused(keyword, why, advice);
}

constexpr const char* for_texts = "model.architecture names an image network";
constexpr const char* without_architecture = "Drop it, or model.architecture for a language model.";
constexpr const char* for_images = "it is for image networks";
constexpr const char* with_architecture = "Drop it, or set model.architecture.";

/// An adapter may stand beside a model as it is.
void check_selection(const CompressOptions& options, deck::Findings& findings) {
  if (!options.selects_weights() && !options.adapter.exists())
    findings.add("select.weights", {.what = "select.weights is empty",
                                    .why = "there is nothing to do",
                                    .advice = "Name weights under [select], or use \"*\"; with an "
                                              "[adapter] it may be empty."});
}

/// Kernels have no adapters.
void refuse_adapters(const CompressOptions& options, deck::Findings& findings) {
  if (options.adapter.exists())
    findings.add("adapter.kind",
                 {.what = fmt::format("adapter.kind = \"{}\" is asked for an image network",
                                      name(options.adapter.kind)),
                  .why = "adapters stand beside the matrices of a language model",
                  .advice = "Set adapter.kind = \"none\", or drop model.architecture for a "
                            "language model."});
}

void check_images(const CompressOptions& options, deck::Findings& findings) {
  refuse_adapters(options, findings);
  refuse_unused(findings,
                {"evaluate.text",
                 "tasks.files",
                 "calibration.text",
                 "calibration.windows",
                 "calibration.gradient_groups",
                 "calibration.gradient_trim",
                 "calibration.gradient_clip",
                 "calibration.input_ridge",
                 "method.storage",
                 "method.clusters",
                 "method.codebooks",
                 "method.rounds",
                 "method.start",
                 "method.outliers",
                 "method.outlier_share",
                 "method.outlier_choice",
                 "ranks.bond_dimension",
                 "ranks.bits_per_weight",
                 "ranks.measured_windows",
                 "ranks.measured_ratio",
                 "ranks.depth_bias",
                 "ranks.depth_bias_decay",
                 "fit.order",
                 "fit.target",
                 "fit.anchor",
                 "fit.ridge",
                 "summary.speed",
                 "summary.sample_tokens"},
                for_texts, without_architecture);
  const MethodOptions& method = options.method;
  using weights::Form;
  const bool is_cut_study = !options.sensitivity.cuts.empty();
  if (!is_cut_study && (method.form == Form::pivoted || method.form == Form::clustered ||
                        method.form == Form::disentangled))
    findings.add(
        "method.form",
        {.what = fmt::format("method.form = \"{}\" is not made of kernels", name(method.form)),
         .why = "model.architecture names an image network",
         .advice = "Choose \"tucker\", \"mpo\", \"cut\", \"low-rank\", or \"dense\" to "
                   "train it as it is."});
  if (method.weighting == Weighting::diagonal)
    findings.add("method.weighting", {.what = "method.weighting = \"diagonal\" is set",
                                      .why = "kernels are not made in that norm",
                                      .advice = "Choose \"none\", \"full\" or \"two-sided\"."});
  if (options.ranks.error_weights == ErrorWeights::measured)
    findings.add("ranks.error_weights",
                 {.what = "ranks.error_weights = \"measured\" is asked for an image network",
                  .why = "it is for language models",
                  .advice = "Choose \"none\", \"output-gradient\" or \"balanced\"."});
  if (options.ranks.allocation == Allocation::fermi)
    findings.add("ranks.allocation", {.what = "ranks.allocation = \"fermi\" is set",
                                      .why = "ranks of kernels are not faded out",
                                      .advice = "Choose \"additive\" or \"uniform\"."});
  if (const auto count = options.ranks.tucker.size(); count != 0 && count != 2 && count != 4)
    findings.add("ranks.tucker",
                 {.what = fmt::format("ranks.tucker has {} numbers", count),
                  .why = "they are the ranks of outputs and inputs, or also of height and width",
                  .advice = "Give two numbers or four."});
}

void check_text_model(const CompressOptions& options, deck::Findings& findings) {
  refuse_unused(findings,
                {"data.images", "data.test_images", "ranks.tucker", "ranks.rank_fraction"},
                for_images, with_architecture);
  check_form(options.method, findings);
  if (!options.method.has_ranks() && options.method.sized_by() != SizedBy::units)
    findings.expect_unused(
        "ranks.multiple_of",
        fmt::format("method.form = \"{}\" is not made of factors", name(options.method.form)),
        "Drop it, or choose \"low-rank\" or \"pivoted\".");
  if (options.ranks.error_weights == ErrorWeights::balanced)
    findings.add("ranks.error_weights",
                 {.what = "ranks.error_weights = \"balanced\" is asked for a language model",
                  .why = "it is for kernels of image networks",
                  .advice = "Choose \"none\", \"output-gradient\" or \"measured\"."});
  check_calibration(options, findings);
  check_weighting(options.method, findings);
  check_codebooks(options, findings);
  check_allocation(options, findings);
  check_error_weights(options, findings);
  check_fit(options, findings);
  check_export(options, findings);
}

/// What rankine-compress alone has for image networks.
void check_image_training(const CompressOptions& options, deck::Findings& findings) {
  refuse_unused(findings,
                {"heal.steps", "heal.text", "heal.held_out_windows", "experiments.names",
                 "sensitivity.bond_dimensions", "parallel.teams", "noise.error_rates"},
                for_texts, without_architecture);
  if (options.scoring.model.path.empty() && options.train.epochs == 0)
    findings.add("train.epochs", {.what = "train.epochs is 0 and model.path is not set",
                                  .why = "a network with random weights knows nothing",
                                  .advice = "Name a checkpoint, or train for some epochs."});
}

void check_healing(const CompressOptions& options, deck::Findings& findings) {
  if (options.heal.is_whitened() && !(options.method.has_ranks() && options.method.needs_inputs() &&
                                      options.method.needs_whole_inputs()))
    findings.add("heal.coordinates",
                 {.what = fmt::format("heal.coordinates = \"whitened\" stands beside method.form = "
                                      "\"{}\" and method.weighting = \"{}\"",
                                      name(options.method.form), name(options.method.weighting)),
                  .why = "factors are whitened with whole moments",
                  .advice = "Set method.form = \"low-rank\" or \"pivoted\" and method.weighting = "
                            "\"two-sided\" or \"full\", or drop it."});
  if (options.heal.held_out_windows > 0) return;
  for (const char* keyword : {"heal.check_every", "heal.patience"})
    findings.expect_unused(keyword, "no windows are held out",
                           "Set heal.held_out_windows, or drop it.");
}

/// What it alone has for language models.
void check_text_studies(const CompressOptions& options, deck::Findings& findings) {
  refuse_unused(findings, {"train.epochs", "sensitivity.cuts"}, for_images, with_architecture);
  check_adapter_keywords(options, findings);
  check_healing(options, findings);
  check_disentangler(options, findings);
  check_narrowing(options, findings);
  check_experiments(options, findings);
  check_profile(options, findings);
}

}  // namespace

void check_compression(const CompressOptions& options, deck::Findings& findings) {
  check_selection(options, findings);
  if (options.scoring.model.is_image_network())
    check_images(options, findings);
  else
    check_text_model(options, findings);
}

void check_options(const CompressOptions& options, deck::Findings& findings) {
  check_compression(options, findings);
  if (options.scoring.model.is_image_network())
    check_image_training(options, findings);
  else
    check_text_studies(options, findings);
}

}  // namespace rankine::compress
