// What the deck of every program that compresses a network has.
#include "compress/job/options.hpp"

namespace rankine::compress {

namespace {

void declare_calibration(deck::Schema& schema, CalibrationOptions& calibration) {
  auto section = schema.section("calibration", "The text that says which inputs a weight meets.");
  section.keyword("text", calibration.text)
      .describe(
          "A text file in UTF-8 or a .npy file of token ids, as in evaluate.text; empty where "
          "nothing is weighted.");
  section.keyword("windows", calibration.windows)
      .range(1, 100'000'000)
      .describe("Windows of the text whose activations are measured.");
  section.keyword("first_window", calibration.first_window)
      .range(0, 100'000'000)
      .describe("Windows from the beginning of the text that are passed over, in both lengths.");
  section.keyword("window_length", calibration.window_length)
      .range(2, 100'000'000)
      .unit("tokens")
      .describe("Tokens the model sees at once.");
  section.keyword("gradient_windows", calibration.gradient_windows)
      .range(1, 100'000'000)
      .describe("Windows for output gradients (two-sided weighting, ranks.error_weights).");
  section.keyword("gradient_window_length", calibration.gradient_window_length)
      .range(2, 100'000'000)
      .unit("tokens")
      .describe("Tokens of a window for gradients: of the outputs, and of FermiGrad's steps.");
  section.keyword("gradient_targets", calibration.gradients.targets, gradient_target_names)
      .describe(
          "Which next tokens the gradients are of: those of the text, or tokens drawn from the "
          "model's own predictions, whose moments are the Fisher information.");
  section.keyword("gradient_trim", calibration.gradients.trim)
      .range(0, 0.45)
      .describe(
          "The part of each window, at either end, whose tokens do not count in the second moments "
          "of the output gradients.");
  section.keyword("gradient_clip", calibration.gradients.clip)
      .range(0, 1e9)
      .describe(
          "Bounds of the norm that a token's output gradients enter these moments with: at most "
          "this times the mean norm in the window, at least that mean divided by this (1 or more); "
          "0 for norms as they are.");
  section.keyword("gradient_groups", calibration.gradient_groups)
      .range(0, 64)
      .describe(
          "Of clusters with method.rounds and two-sided weighting: parts of the rows of a weight, "
          "each with second moments of the inputs in which a token counts as much as its squared "
          "gradients there; 0 for moments that all tokens enter alike.");
  section.keyword("images", calibration.images)
      .range(0, 1e9)
      .unit("images")
      .describe(
          "Training images, as many of every class as far as there are, from which an image "
          "network "
          "takes the moments of its patches and the statistics of its batch norms; 0 for all.");
  section.keyword("gradient_images", calibration.gradient_images)
      .range(0, 1e9)
      .unit("images")
      .describe(
          "Training images for output gradients of an image network, with labels drawn from its "
          "own "
          "predictions; 0 for all.");
  section.keyword("ridge", calibration.ridge)
      .above(0)
      .describe(
          "Added to the diagonal of the second moments of the output gradients, times their mean "
          "diagonal; no less than what rounding of the moments needs.");
  section.keyword("input_ridge", calibration.input_ridge)
      .above(0)
      .describe("The same for the second moments of the inputs.");
}

void declare_method(deck::Schema& schema, CompressOptions& options) {
  auto select = schema.section("select", "Which weights are compressed.");
  select.keyword("weights", options.select)
      .allow_empty()
      .describe(
          "Patterns with * and ? of weight names in the layers, without .weight; embedding and "
          "output weight are selected by their full names alone, a tied one by that of the "
          "embedding. Empty for an adapter on the model as it is.");
  auto method = schema.section("method", "What a weight becomes.");
  method.keyword("form", options.method.form, weights::forms_of_matrices())
      .describe(
          "Two factors; two factors with pivot rows or columns made the identity; a matrix-product "
          "operator, maybe between circuits of gates; "
          "few shared values; or the low-rank matrix stored as a dense one.");
  method.keyword("weighting", options.method.weighting, weighting_names)
      .describe(
          "The norm of an error: of the weight; of the outputs on the calibration text, by the "
          "sizes of the inputs or by their second moments; or that weighted with the second "
          "moments "
          "of the loss gradient.");
  method.keyword("sites", options.method.sites)
      .range(2, 16)
      .describe("Sites of a matrix-product operator.");
  method.keyword("sweeps", options.method.sweeps)
      .range(0, 1000)
      .describe(
          "Passes of alternating least squares over the cores of a weighted operator; each lowers "
          "the error further and takes as long as the others.");
  method.keyword("clusters", options.method.clusters)
      .range(1, 65536)
      .describe(
          "Shared values of a clustered weight; with ranks.bits_per_weight the most that one "
          "gets.");
  method.keyword("outliers", options.method.outliers)
      .range(0, 1e9)
      .describe("Entries that a clustered weight keeps beside its shared values.");
  method.keyword("outlier_share", options.method.outlier_share)
      .range(0, 0.5)
      .describe("More of them, as a share of the entries of a weight.");
  method.keyword("outlier_choice", options.method.outlier_choice, weights::outlier_choice_names)
      .describe(
          "Which entries: of the largest magnitudes; of the largest squares, or squared errors of "
          "their shared values, in the norm of method.weighting.");
  method.keyword("codebooks", options.method.codebooks)
      .describe(
          "What has shared values of its own: \"matrix\", \"row\", or every few rows, whose number "
          "stands as \"4\".");
  method.keyword("rounds", options.method.rounds)
      .range(0, 1000)
      .describe(
          "Of clusters: rounds of the best values and coordinate descent over the codes under the "
          "second moments of the inputs (method.weighting = \"full\" or \"two-sided\"); 0 for "
          "K-means, in which entries count one by one.");
  method.keyword("start", options.method.start, weights::code_start_names)
      .describe("Of the rounds: nearest values, or a pass that hands errors on to later columns.");
  method.keyword("storage", options.method.storage, weights::storage_names)
      .describe(
          "What the numbers of the selected weights are rounded to, in whatever form they are; "
          "exact: the model's precision.");
  method.keyword("cut", options.method.cut, weights::kernel_cut_names)
      .describe(
          "Of form = \"cut\": the axes of a kernel (outputs, inputs, height, width) on either side "
          "of the cut.");
}

void declare_fit(deck::Schema& schema, FitOptions& fit) {
  auto section = schema.section("fit", "Against what a weight is fitted, once its size is known.");
  section.keyword("order", fit.order, fit_order_names)
      .describe(
          "All weights at once against the original's activations; or one after the other, as "
          "activations pass, on those of the model compressed so far, so that each makes up for "
          "what was lost before it.");
  section.keyword("target", fit.target, target_output_names)
      .describe(
          "In sequential order: what a weight should answer. weight: what the original weight "
          "answers; stream: where that is added to the activation that passes, also what this has "
          "lost so far.");
  section.keyword("anchor", fit.anchor)
      .range(0, 1)
      .describe(
          "In sequential order: 1 for answers to the original's activations, 0 for the original "
          "weight's answers to those of the compressed model; between, a mean of both.");
  section.keyword("ridge", fit.ridge)
      .above(0)
      .describe(
          "In sequential order: draws a weight to the original one where the text says little; "
          "times the mean diagonal of the second moments of what it reads.");
}

void declare_ranks(deck::Schema& schema, RankOptions& ranks) {
  auto section = schema.section("ranks", "How ranks are shared among the weights.");
  section.keyword("allocation", ranks.allocation, allocation_names)
      .describe(
          "The same part of every weight; least sum of weighted errors; or from there on by the "
          "gradient of the model's loss (FermiGrad).");
  section.keyword("error_weights", ranks.error_weights, error_weight_names)
      .describe(
          "What the squared error of a weight counts against that of another: as it is; times the "
          "mean squared loss gradient at its outputs; by what the model's predictions lose when "
          "this weight alone has a small rank (measured), which takes a scoring of "
          "measured_windows for every weight; balanced, for kernels: the geometric mean of the "
          "gradients and of relative errors. Two-sided errors may do without.");
  section.keyword("measured_windows", ranks.measured_windows)
      .range(1, 100'000'000)
      .describe("Of measured error weights: the first so many calibration windows are scored.");
  section.keyword("measured_ratio", ranks.measured_ratio)
      .above(0)
      .at_most(0.95)
      .describe("Of measured error weights: the part of its numbers that the one weight keeps.");
  section.keyword("depth_bias", ranks.depth_bias)
      .range(0, 1e6)
      .describe(
          "Errors in the first layer count 1 + this times as much as those in the last; 0 for all "
          "layers alike.");
  section.keyword("depth_bias_decay", ranks.depth_bias_decay)
      .range(0, 100)
      .describe(
          "How early that is lost: from layer k to the next, counted from 1, in proportion to k to "
          "the power of minus this; 0 for a straight line.");
  section.keyword("parameter_ratio", ranks.parameter_ratio)
      .above(0)
      .at_most(1)
      .describe("Kept part of the parameters of the selected weights.");
  section.keyword("bits_per_weight", ranks.bits_per_weight)
      .range(0, 64)
      .unit("bits")
      .describe(
          "Of clusters with method.rounds: what the selected weights take on average, codes, "
          "shared "
          "values and outliers with their places, as they are stored in the end. Each gets the "
          "number of shared values, 2, 4, 8, ... up to method.clusters, with which the sum of the "
          "squared errors is least; 0 for method.clusters in each.");
  section.keyword("bond_dimension", ranks.bond_dimension)
      .range(0, 1e9)
      .describe("The rank of every selected weight; 0 to follow parameter_ratio.");
  section.keyword("fermi_steps", ranks.fermi_steps)
      .range(1, 1'000'000)
      .describe("Steps of FermiGrad, each on a window of its own for every team.");
  section.keyword("tucker", ranks.tucker)
      .range(1, 1e9)
      .allow_empty()
      .describe(
          "Of Tucker kernels: ranks of outputs and inputs, maybe of height and width, for every "
          "selected kernel; empty to follow parameter_ratio.");
  section.keyword("rank_fraction", ranks.rank_fraction)
      .range(0, 1)
      .describe(
          "Of kernels: the kept part of each rank, with uniform allocation; 0 to follow "
          "parameter_ratio.");
  section.keyword("multiple_of", ranks.multiple_of)
      .range(1, 4096)
      .describe(
          "Ranks of factors and kernels are multiples of this, or full; so are the hidden units "
          "that "
          "\"narrowed\" leaves.");
}

void declare_export(deck::Schema& schema, ExportOptions& result) {
  auto section = schema.section("export", "The compressed model as a checkpoint.");
  section.keyword("directory", result.directory).describe("A folder to write; empty for none.");
  section.keyword("format", result.format, models::export_format_names)
      .describe(
          "dense: a checkpoint of the original's layout, with the new matrices in it; factorised: "
          "low-rank and pivoted weights as they are stored, with a modelling file; native: every "
          "form as it is stored, for Rankine's programs; auto: factorised for language models "
          "whose "
          "modelling file can serve (file formats: checkpoints), else dense.");
}

void declare_summary(deck::Schema& schema, SummaryOptions& summary) {
  auto section =
      schema.section("summary",
                     "What is said of a language model in the end, beside its bytes; with both off "
                     "nothing is.");
  section.keyword("speed", summary.speed)
      .describe("Whether tokens a second are measured before and after, which takes seconds.");
  section.keyword("sample_tokens", summary.sample_tokens)
      .range(0, 10000)
      .unit("tokens")
      .describe(
          "Length of a continuation that the model writes before and after, behind the "
          "beginning of the text; 0 for none.");
}

}  // namespace

void declare_compression(deck::Schema& schema, CompressOptions& options) {
  declare_calibration(schema, options.calibration);
  declare_method(schema, options);
  declare_fit(schema, options.fit);
  declare_ranks(schema, options.ranks);
  declare_export(schema, options.result);
  declare_summary(schema, options.summary);
}

}  // namespace rankine::compress
