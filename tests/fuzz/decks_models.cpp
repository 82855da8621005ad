// Decks of rankine-evaluate, rankine-compress and rankine-distill: the TOML, the keywords, the
// rules across them, and what the files they name say against them.
#include "compress/job/compression_job.hpp"
#include "compress/job/options.hpp"
#include "deck/echo.hpp"
#include "deck/read.hpp"
#include "decks.hpp"
#include "distill/image_job.hpp"
#include "distill/language_job.hpp"
#include "models/evaluation/evaluation.hpp"
#include "models/evaluation/options.hpp"
#include "targets.hpp"

namespace rankine::fuzz {

namespace fs = std::filesystem;

namespace {

constexpr const char* evaluate_deck = R"(
title = "all keywords"
[model]
path = "inputs/models/stories260K"
precision = "float64"
[evaluate]
text = "inputs/models/stories260K/test_tokens.npy"
window_length = 256
stride = 0
max_windows = 2
beginning_of_sequence = "never"
reference_model = "inputs/models/stories260K"
[generate]
prompt_tokens = [1, 2, 3]
tokens = 4
temperature = 0.7
top_k = 5
seed = 3
[parallel]
teams = 1
memory_per_rank = 0.5
[output]
file = "out.h5"
)";

template <class Options>
void read_deck_into(Options& options, const std::string& text,
                    void (*declare)(deck::Schema&, Options&)) {
  deck::Schema schema;
  declare(schema, options);
  deck::read_text(schema, text, "deck.toml", overrides_in(text));
  deck::effective_deck(schema);
}

void read_evaluate(const std::string& text, const fs::path&) {
  models::EvaluateOptions options;
  read_deck_into(options, text, models::declare_keywords);
  models::prepare_evaluation(options);
}

void read_compress(const std::string& text, const fs::path&) {
  compress::CompressOptions options;
  read_deck_into(options, text, compress::declare_keywords);
  compress::prepare_compression(options);
}

void read_distill(const std::string& text, const fs::path&) {
  distill::DistillOptions options;
  read_deck_into(options, text, distill::declare_keywords);
  if (options.compression.scoring.model.is_image_network())
    distill::prepare_image_distillation(options);
  else
    distill::prepare_language_distillation(options);
}

/// Without the decks of models that are not part of the source tree.
std::vector<std::string> decks_on(const std::string& model, const std::string& program) {
  std::vector<std::string> decks = decks_of(program);
  std::erase_if(decks, [&](const std::string& deck) {
    return deck.find("path = \"inputs/models/" + model) == deck.npos;
  });
  return decks;
}

}  // namespace

Target decks_of_evaluate() {
  Target target{.name = "evaluate",
                .seeds = decks_on("stories260K", "rankine-evaluate"),
                .words = words_of_decks(),
                .read = read_evaluate};
  target.seeds.push_back(evaluate_deck);
  return target;
}

Target decks_of_compress() {
  return {.name = "compress",
          .seeds = decks_on("stories260K", "rankine-compress"),
          .words = words_of_decks(),
          .read = read_compress};
}

Target decks_of_distill() {
  return {.name = "distill",
          .seeds = decks_on("", "rankine-distill"),
          .words = words_of_decks(),
          .read = read_distill};
}

}  // namespace rankine::fuzz
