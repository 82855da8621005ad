#include "bench_models.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <span>

#include "bench_file.hpp"
#include "bench_model_forms.hpp"
#include "bench_timing.hpp"
#include "core/errors.hpp"
#include "core/text_format.hpp"
#include "files/hdf5/result_file.hpp"
#include "files/output_file.hpp"
#include "models/language/language_model.hpp"
#include "models/language/speed.hpp"
#include "models/threads.hpp"

namespace rankine::bench {

using models::LanguageModel;
using models::Speed;
using models::SpeedProbe;
using torch::Tensor;

void declare_keywords(deck::Schema& schema, ModelBenchOptions& options) {
  auto section = schema.section("bench", "What is measured.");
  section.keyword("model", options.model)
      .describe(
          "Folder of a language model, dense, native or factorised; it is measured as it is "
          "before its layers get other forms.");
  section.keyword("forms", options.forms)
      .allow_empty()
      .choices({"dense", "low-rank", "pivoted", "mpo", "clustered", "4-bit"})
      .describe("Forms that all matrices of the layers get, with arbitrary numbers.");
  section.keyword("ratio", options.ratio)
      .above(0)
      .at_most(1)
      .describe("Numbers of low-rank, pivoted and mpo beside those of dense.");
  section.keyword("prompt", options.prompt)
      .range(1, 1'000'000)
      .unit("tokens")
      .describe("Tokens before the first that is generated.");
  section.keyword("tokens", options.tokens)
      .range(1, 1'000'000)
      .unit("tokens")
      .describe("Tokens generated.");
  section.keyword("window", options.window)
      .range(2, 1'000'000)
      .unit("tokens")
      .describe("Tokens scored at once.");
  section.keyword("training_window", options.training_window)
      .range(0, 1'000'000)
      .unit("tokens")
      .describe("Tokens of a step of training; 0 for none.");
  section.keyword("repeats", options.repeats)
      .range(1, 1000)
      .describe("Repeats; the shortest time counts.");
  section.keyword("file", options.file)
      .describe("Result file, HDF5 or, with the ending .csv, CSV; empty for none.");
}

namespace {

struct ModelRates {
  std::string form;
  std::int64_t numbers = 0;       ///< of the weights of the layers
  std::int64_t stored_bytes = 0;  ///< of them, as a native checkpoint has them
  std::int64_t loaded_bytes = 0;  ///< of them, on all ranks, once products were computed
  double first_token = 0;         ///< seconds
  double generated = 0;           ///< tokens a second
  double token_head = 0;          ///< part of the time of a token in the output weight
  double scored = 0;              ///< tokens a second
  double scoring_head = 0;
  double training = NAN;  ///< tokens a second, forward and back
};

/// What a weight holds in memory: its tensors, and rows that it keeps.
std::int64_t own_bytes(const weights::Weight& weight) {
  std::int64_t bytes = 0;
  const auto add = [&](const Tensor& values) {
    bytes += values.numel() * static_cast<std::int64_t>(values.element_size());
  };
  for (const weights::Parameter& one : weight.parameters()) add(one.values);
  for (const weights::Parameter& one : weight.indices()) add(one.values);
  if (dynamic_cast<const weights::MaterialisedWeight*>(&weight)) add(weight.own_rows());
  return bytes;
}

/// Forward and back through all layers and the losses, with gradients of the layers' numbers.
double training_seconds(const LanguageModel& model, const ModelBenchOptions& options) {
  const std::int64_t window = std::min(options.training_window, model.config().context);
  std::vector<Tensor> trained;
  for (const models::Slot* slot : model.slots())
    for (const weights::Parameter& one : slot->weight()->parameters())
      trained.push_back(Tensor(one.values).requires_grad_(true));
  const Tensor ids = torch::arange(window, torch::kInt64).remainder(model.config().vocabulary_size);
  const double seconds = shortest_time(options.repeats, [&] {
    model.losses(model.hidden_states(ids), ids.narrow(0, 1, window - 1)).mean().backward();
    for (Tensor& one : trained) one.mutable_grad() = Tensor();
    model.team().barrier();
  });
  for (Tensor& one : trained) one.requires_grad_(false);
  return model.team().max(seconds);
}

ModelRates measure(const LanguageModel& model, const std::string& form,
                   const ModelBenchOptions& options) {
  const SpeedProbe probe =
      SpeedProbe{options.prompt, options.tokens, options.window, options.repeats}.within(
          model.config().context);
  const Speed speed = models::measure_speed(model, probe);
  ModelRates rates{.form = form,
                   .first_token = speed.first_token,
                   .generated = speed.generated_per_second(),
                   .token_head = speed.token_head / speed.token,
                   .scored = speed.scored_per_second(probe),
                   .scoring_head = speed.scoring_head / speed.scored_window};
  bool is_trainable = options.training_window > 1;
  for (const models::Slot* slot : model.slots()) {
    rates.numbers += slot->weight()->stored_numbers();
    rates.stored_bytes += slot->weight()->stored_bytes();
    rates.loaded_bytes += own_bytes(*slot->weight());
    is_trainable = is_trainable && slot->weight()->storage() == weights::Storage::exact;
  }
  rates.loaded_bytes = model.team().sum(rates.loaded_bytes);
  if (is_trainable)
    rates.training =
        static_cast<double>(options.training_window) / training_seconds(model, options);
  return rates;
}

void print(const ModelRates& rates) {
  fmt::print("{:<10} {:>11} {:>10} {:>10} | {:>8.3f} {:>8.2f} {:>6.0f} | {:>8.1f} {:>6.0f} | {}\n",
             rates.form, rates.numbers, format_bytes(static_cast<double>(rates.stored_bytes)),
             format_bytes(static_cast<double>(rates.loaded_bytes)), rates.first_token,
             rates.generated, 100 * rates.token_head, rates.scored, 100 * rates.scoring_head,
             std::isnan(rates.training) ? "-" : fmt::format("{:.1f}", rates.training));
  std::fflush(stdout);
}

void write_csv(const std::string& path, const std::vector<ModelRates>& all) {
  std::string csv =
      "form,numbers,stored_bytes,loaded_bytes,first_token_seconds,generated,token_head,scored,"
      "scoring_head,training\n";
  for (const ModelRates& one : all)
    csv += fmt::format("{},{},{},{},{},{},{},{},{},{}\n", one.form, one.numbers, one.stored_bytes,
                       one.loaded_bytes, one.first_token, one.generated, one.token_head, one.scored,
                       one.scoring_head, one.training);
  files::write_atomically(path, std::as_bytes(std::span(csv)));
}

void write_hdf5(const std::string& path, const std::vector<ModelRates>& all, int n_ranks,
                int threads) {
  files::ResultFile file(path, {.filetype = "rankine-bench-models",
                                .format_version = 1,
                                .program = "rankine-bench",
                                .n_ranks = n_ranks,
                                .threads = threads,
                                .library_versions = {{"torch", models::tensor_library_version()}}});
  const auto put = [&](const char* name, auto member, const char* what, const char* units) {
    std::vector<std::remove_cvref_t<decltype(all[0].*member)>> values;
    for (const ModelRates& one : all) values.push_back(one.*member);
    file.write(fmt::format("/results/forms/{}", name), values, {values.size()},
               {.long_name = what, .units = units, .dims = {"measurement"}});
  };
  put("form", &ModelRates::form, "form of the weights of the layers", "1");
  put("numbers", &ModelRates::numbers, "numbers that store them", "1");
  put("stored_bytes", &ModelRates::stored_bytes, "their bytes in files", "byte");
  put("loaded_bytes", &ModelRates::loaded_bytes, "their bytes in memory, of all ranks", "byte");
  put("first_token_seconds", &ModelRates::first_token, "prompt and first token", "s");
  put("generated", &ModelRates::generated, "further tokens generated", "1/s");
  put("token_head", &ModelRates::token_head, "part of that time in the output weight", "1");
  put("scored", &ModelRates::scored, "tokens scored", "1/s");
  put("scoring_head", &ModelRates::scoring_head, "part of that time in head and losses", "1");
  put("training", &ModelRates::training,
      "tokens trained on, forward and back; NaN where the form "
      "is not trained",
      "1/s");
  file.complete();
}

}  // namespace

void check(const ModelBenchOptions& options) {
  if (options.model.empty())
    throw InputError(
        "bench.model is not set (there is nothing to measure). Name the folder of a "
        "language model.");
  if (!options.file.empty()) files::check_writable(options.file);
}

void bench_models(const ModelBenchOptions& options, const parallel::Communicator& world,
                  int threads) {
  models::set_tensor_threads(threads);
  auto model = LanguageModel::read(world, world, options.model, models::Precision::float32);
  std::vector<ModelRates> all;
  const auto take = [&](const std::string& form) {
    all.push_back(measure(model, form, options));
    if (world.rank() == 0) print(all.back());
  };
  if (world.rank() == 0)
    fmt::print(
        "{}, {}, float32: weights of the layers, seconds to the first token behind {}, "
        "tokens a second (% of the time in the head)\n{:<10} {:>11} {:>10} {:>10} | {:>8} "
        "{:>8} {:>6} | {:>8} {:>6} | {}\n",
        counted(world.size(), "rank"), counted(threads, "thread"), options.prompt, "form",
        "numbers", "in files", "in memory", "first", "generate", "head", "score", "head", "train");
  take("as read");
  for (const std::string& form : options.forms) {
    for (const models::Slot* slot : model.slots())
      model.replace_weight(slot->name(), arbitrary_weight(*slot->weight(), form, options.ratio));
    take(form);
  }
  write_file(
      world, options.file, [&] { write_csv(options.file, all); },
      [&] { write_hdf5(options.file, all, world.size(), threads); });
}

}  // namespace rankine::bench
