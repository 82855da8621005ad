#include "compress/job/options.hpp"

#include <algorithm>
#include <charconv>

#include "compress/experiments/centroid_changes.hpp"
#include "compress/job/option_checks.hpp"

namespace rankine::compress {

namespace {

void declare_train(deck::Schema& schema, TrainOptions& train) {
  auto section = schema.section(
      "train", "Training of an image network in the form it has been given, on labels.");
  section.keyword("epochs", train.epochs)
      .range(0, 1'000'000)
      .describe("Passes through the training images; 0 for no training.");
  section.keyword("batch_size", train.batch_size)
      .range(1, 1'000'000)
      .unit("images")
      .describe(
          "Images of a step over all ranks, at most: an epoch is cut into parts as even as can "
          "be.");
  section.keyword("learning_rate", train.learning_rate)
      .above(0)
      .describe(
          "The largest of AdamW, after a tenth of all steps; it falls as a cosine to a tenth.");
  section.keyword("weight_decay", train.weight_decay)
      .at_least(0)
      .describe("Of kernels; of Tucker kernels it falls on the core alone.");
  section.keyword("seed", train.seed)
      .range(0, 9007199254740992.0)
      .describe(
          "Of the random weights of a network without checkpoint, the order of the images and "
          "their "
          "shifts.");
  section.keyword("crop", train.crop)
      .range(0, 10'000)
      .unit("pixels")
      .describe("Zeros around a training image, out of which its size is cut anew in each epoch.");
  section.keyword("flip", train.flip).describe("Mirrors every other training image.");
  section.keyword("score_every", train.score_every)
      .range(1, 1'000'000)
      .describe("Epochs between two scores on the test images.");
}

void declare_sensitivity(deck::Schema& schema, SensitivityOptions& sensitivity) {
  auto section =
      schema.section("sensitivity",
                     "A profile of the model in place of a compression: perplexity against bond "
                     "dimension, one part of the model at a time.");
  section.keyword("bond_dimensions", sensitivity.bond_dimensions)
      .range(1, 1e9)
      .describe(
          "Bond dimensions (ranks) that the selected weights of one group get, all others being as "
          "they were; empty for no profile.");
  section.keyword("by", sensitivity.by, group_names)
      .describe(
          "Groups of weights: those of every layer, every kind of matrix in all layers, every "
          "weight.");
  section.keyword("cuts", sensitivity.cuts, weights::kernel_cut_names)
      .allow_empty()
      .describe(
          "Cuts of kernels: each selected kernel is truncated along each of them alone, then all "
          "kernels together, and the network is scored; empty for no study.");
  section.keyword("rank_fractions", sensitivity.rank_fractions)
      .above(0)
      .at_most(1)
      .describe("Kept parts of the rank of a cut, each a point of the study.");
}

void declare_heal(deck::Schema& schema, HealOptions& heal) {
  auto section = schema.section("heal", "Short training of the compressed weights.");
  section.keyword("steps", heal.steps)
      .range(0, 100'000'000)
      .describe("Steps of AdamW, at most; 0 for none.");
  section.keyword("text", heal.text)
      .describe(
          "Text file or .npy file of token ids that is trained on; empty for calibration.text.");
  section.keyword("held_out_windows", heal.held_out_windows)
      .range(0, 1'000'000)
      .describe(
          "The last windows of the text, which are not trained on. Training ends when their loss "
          "no "
          "longer falls, with the numbers at its lowest; 0 to train for all steps.");
  section.keyword("check_every", heal.check_every)
      .range(1, 1'000'000)
      .unit("steps")
      .describe("Between two looks at the held-out windows.");
  section.keyword("patience", heal.patience)
      .range(1, 1'000'000)
      .describe("Looks in a row without a lower loss that end the training.");
  section.keyword("loss", heal.loss, healing_loss_names)
      .describe(
          "The cross-entropy of the text, or the divergence from the predictions of the original "
          "model, which is then held in memory too.");
  section.keyword("windows_per_step", heal.windows_per_step)
      .range(1, 1'000'000)
      .describe("Windows of every team in a step.");
  section.keyword("window_length", heal.window_length)
      .range(2, 100'000'000)
      .unit("tokens")
      .describe("Tokens the model sees at once.");
  section.keyword("learning_rate", heal.learning_rate)
      .above(0)
      .describe(
          "The largest, after the warm-up; it falls as a cosine to a tenth. Shared values bear a "
          "hundred times that of factors.");
  section.keyword("warm_up", heal.warm_up)
      .range(0, 1)
      .describe("Part of the steps in which the learning rate rises.");
  section.keyword("coordinates", heal.coordinates, healing_coordinate_names)
      .describe(
          "What AdamW moves: the numbers of the factors, or numbers in which the moments of inputs "
          "and output gradients are units, so that a step costs alike in every direction.");
}

void declare_adapter(deck::Schema& schema, AdapterOptions& adapter) {
  auto section = schema.section(
      "adapter",
      "Few numbers beside the weights of a language model, trained while these stay as they are.");
  section.keyword("kind", adapter.kind, adapter_names)
      .describe(
          "Orthogonal blocks by the Cayley transform; blocks without a constraint; two added "
          "factors (LoRA); or none.");
  section.keyword("weights", adapter.weights)
      .describe(
          "Patterns with * and ? of weight names in the layers, without .weight, whether they are "
          "compressed or not.");
  section.keyword("side", adapter.side, weights::adapter_side_names)
      .describe("Of blocks: the axis of a weight that they act on.");
  section.keyword("block", adapter.block)
      .range(2, 64)
      .describe("Size of the blocks, which divides the widths they act on.");
  section.keyword("layers", adapter.layers)
      .range(1, 64)
      .describe(
          "Of blocks: layers of them, the first on neighbours, the next ones on indices farther "
          "and farther apart.");
  section.keyword("rank", adapter.rank).range(1, 1e6).describe("Of the factors of LoRA.");
  section.keyword("steps", adapter.steps)
      .range(0, 100'000'000)
      .describe("Steps of AdamW on the calibration text; 0 for an adapter that changes nothing.");
  section.keyword("loss", adapter.loss, healing_loss_names)
      .describe(
          "The cross-entropy of the text, or the divergence from the predictions of "
          "adapter.original, which is then held in memory too.");
  section.keyword("original", adapter.original)
      .describe(
          "Folder of the model whose predictions are learnt, with the same tokens; empty for "
          "model.path, before it is compressed.");
  section.keyword("windows_per_step", adapter.windows_per_step)
      .range(1, 1'000'000)
      .describe("Windows of every team in a step.");
  section.keyword("window_length", adapter.window_length)
      .range(2, 100'000'000)
      .unit("tokens")
      .describe("Tokens the model sees at once.");
  section.keyword("learning_rate", adapter.learning_rate)
      .above(0)
      .describe(
          "The largest, after the warm-up; it falls as a cosine to a tenth. That of blocks of 2: "
          "larger ones have it divided by the root of their size less one.");
  section.keyword("warm_up", adapter.warm_up)
      .range(0, 1)
      .describe("Part of the steps in which the learning rate rises.");
  section.keyword("seed", adapter.seed)
      .range(0, 9007199254740992.0)
      .describe(
          "Of the order of the windows, those first that the calibration has not seen, and of the "
          "start of LoRA.");
  section.keyword("directory", adapter.directory)
      .describe("A folder to write the adapter into as PEFT reads it; empty for none.");
}

void declare_noise(deck::Schema& schema, NoiseOptions& noise) {
  auto section = schema.section(
      "noise", "Scores of the adapted model with every block a noisy quantum circuit.");
  section.keyword("error_rates", noise.error_rates)
      .range(0, 1)
      .allow_empty()
      .describe(
          "Depolarising probabilities of a two-qubit gate, each a row of the map; empty for no "
          "study.");
  section.keyword("shots", noise.shots)
      .range(1, 1e15)
      .allow_empty()
      .describe(
          "Measurements from which the amplitudes of a block are estimated, each a column of the "
          "map; infinitely many are its last column, always.");
  section.keyword("readout_error", noise.readout_error)
      .range(0, 0.5)
      .describe("Probability that the measurement of a qubit gives the other value.");
  section.keyword("seed", noise.seed)
      .range(0, 9007199254740992.0)
      .describe("Of the fluctuations of finite numbers of shots.");
}

void declare_experiments(deck::Schema& schema, ExperimentOptions& experiments) {
  auto section = schema.section(
      "experiments", "What the shared values of clustered weights matter for; see the algorithms.");
  std::vector<std::string> names = centroid_change_names();
  names.push_back("layer-by-layer");
  section.keyword("names", experiments.names)
      .choices(std::move(names))
      .allow_empty()
      .describe(
          "Changes of the shared values under fixed assignments, each scored on the evaluation "
          "text before the compression itself; layer-by-layer: redrawn values in one layer after "
          "the other, without and with correction of the scale.");
  section.keyword("clusters", experiments.clusters)
      .range(1, 65536)
      .describe("Numbers of shared values, each an experiment of its own.");
  section.keyword("layers", experiments.layers)
      .range(0, 1e6)
      .describe("How many of the last layers are changed, each an experiment of its own; 0: all.");
  section.keyword("seeds", experiments.seeds)
      .range(0, 1e15)
      .describe("Of the random numbers, each an experiment of its own.");
  section.keyword("layer_step", experiments.layer_step)
      .range(1, 1e6)
      .describe("Layers replaced between two points of layer-by-layer.");
}

void declare_disentangler(deck::Schema& schema, DisentanglerOptions& disentangler) {
  auto section = schema.section("disentangler",
                                "Circuits of orthogonal gates on both sides of an operator "
                                "(method.form = \"disentangled\").");
  section.keyword("gate_size", disentangler.gate_size)
      .range(1, 6)
      .unit("qubits")
      .describe("Legs of length 2 of rows or columns that a gate acts on.");
  section.keyword("depth", disentangler.depth)
      .range(0, 1000)
      .describe("Layers of gates on either side; 0 for an operator alone.");
  section.keyword("odd_leg", disentangler.odd_leg, weights::odd_leg_names)
      .describe(
          "What gates do with the leg of odd length (9 of 576 = 9 x 2^6): leave it apart, or count "
          "it as one more leg, with larger gates.");
  section.keyword("start", disentangler.start, weights::disentangling_start_names)
      .describe(
          "Gates that do nothing, or gates that make the purity of the cut large (the Renyi-2 "
          "entropy small).");
  section.keyword("sweeps", disentangler.sweeps)
      .range(0, 1'000'000)
      .describe(
          "Passes there and back over the gates of both sides, at most; they end when the overlap "
          "stands still.");
  section.keyword("gradient_steps", disentangler.gradient_steps)
      .range(0, 1'000'000)
      .describe(
          "Steps of Adam on the gates in the norm of method.weighting, after the cores have been "
          "fitted in it, twice in turn; each costs a product of the weight with its moments.");
}

}  // namespace

std::optional<std::int64_t> MethodOptions::rows_per_book(std::int64_t rows) const {
  if (codebooks == "matrix") return rows;
  if (codebooks == "row") return 1;
  std::int64_t number = 0;
  const char* end = codebooks.data() + codebooks.size();
  const auto [rest, error] = std::from_chars(codebooks.data(), end, number);
  if (error != std::errc() || rest != end || number < 1) return std::nullopt;
  return std::min(number, rows);
}

void declare_keywords(deck::Schema& schema, CompressOptions& options) {
  models::declare_scoring(schema, options.scoring);
  declare_compression(schema, options);
  declare_disentangler(schema, options.disentangler);
  declare_sensitivity(schema, options.sensitivity);
  declare_train(schema, options.train);
  declare_heal(schema, options.heal);
  declare_adapter(schema, options.adapter);
  declare_noise(schema, options.noise);
  declare_experiments(schema, options.experiments);
  schema.renamed("checkpoint.directory", "run.directory");
  schema.renamed("checkpoint.interval", "run.checkpoint_interval, in seconds");
  schema.check([&](deck::Findings& findings) { check_options(options, findings); });
}

}  // namespace rankine::compress
