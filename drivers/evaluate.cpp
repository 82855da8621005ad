// rankine-evaluate: scores a language model on a text and continues prompts, from a deck to a
// result file.
#include <fmt/format.h>

#include <optional>

#include "core/log.hpp"
#include "core/memory.hpp"
#include "core/text_format.hpp"
#include "core/version.hpp"
#include "deck/command_line.hpp"
#include "deck/echo.hpp"
#include "deck/read.hpp"
#include "files/hdf5/result_file.hpp"
#include "files/output_file.hpp"
#include "models/evaluation/evaluation.hpp"
#include "models/evaluation/forecast.hpp"
#include "models/evaluation/results.hpp"
#include "models/threads.hpp"
#include "parallel/agreement.hpp"
#include "parallel/node.hpp"
#include "parallel/session.hpp"
#include "program.hpp"
#include "threads.hpp"
#include "weights/rows/tensor_errors.hpp"

using namespace rankine;

namespace {

constexpr const char* program = "rankine-evaluate";

/// A deck that has been read, and everything that follows from it before any computing.
struct Input {
  models::EvaluateOptions options;
  deck::Schema schema;

  Input() { models::declare_keywords(schema, options); }
  models::EvaluationJob read(const std::string& text, const deck::CommandLine& command) {
    deck::read_text(schema, text, command.deck, command.overrides);
    files::check_writable(options.output_file);
    return models::prepare_evaluation(options);
  }
};

void evaluate(const parallel::Communicator& world, const deck::CommandLine& command) {
  Input input;
  const std::string deck_text = load_deck(world, command.deck);
  const auto job =
      parallel::agree_on_failure(world, [&] { return input.read(deck_text, command); });
  const int per_node = parallel::ranks_per_node(world);
  const int threads = threads_of_rank(per_node).threads;
  models::set_tensor_threads(threads);
  const auto memory = models::plan_memory(job, {.ranks = world.size(),
                                                .ranks_per_node = per_node,
                                                .threads = threads,
                                                .node_bytes = available_node_bytes()});
  parallel::agree_on_failure(world, [&] { memory.require(); });
  log().info("{} {}: {} parameters, {} in {}, {} each", program, program_version(),
             job.config.parameters(), counted(world.size(), "rank"),
             counted(input.options.parallel.teams, "team"), counted(threads, "thread"));
  log().info("{}", memory.line());
  if (!job.plan.windows.empty()) log().info("{}", models::protocol_line(job));

  files::RunDescription description =
      describe_run(program, models::result_format_version, input.schema, world.size(), threads);
  description.library_versions["torch"] = models::tensor_library_version();
  std::optional<files::ResultFile> file;
  parallel::agree_on_failure(world, [&] {
    if (world.rank() == 0) file.emplace(input.options.output_file, description);
  });
  const auto save = [&](const models::EvaluationResult& known) {
    models::write_results(*file, job, known);
    file->save("the windows scored so far");
  };
  const auto result = models::evaluate(job, world, {.save = save});
  parallel::agree_on_failure(world, [&] {
    if (!file) return;
    models::write_results(*file, job, result);
    file->complete();
    fmt::print("{}", models::results_table(job, result));
  });
}

/// Everything a job would meet before it loads the weights, without starting MPI.
void check(const deck::CommandLine& command) {
  Input input;
  const auto job = input.read(deck::load(command.deck), command);
  const auto memory = models::plan_memory(job, {.ranks = command.ranks,
                                                .ranks_per_node = command.ranks,
                                                .threads = threads_of_rank(command.ranks).threads,
                                                .node_bytes = available_node_bytes()});
  fmt::print("{}: {} parameters, {}, {}\n{}\n", command.deck, job.config.parameters(),
             counted(std::ssize(job.plan.windows), "window"),
             counted(std::ssize(job.prompts), "prompt"), memory.line());
  if (!job.plan.windows.empty()) fmt::print("{}\n", models::protocol_line(job));
  memory.require();
  if (command.action == deck::Action::dry_run)
    fmt::print("\n{}", deck::effective_deck(input.schema));
}

}  // namespace

int main(int argc, char** argv) {
  weights::translate_tensor_errors();
  models::EvaluateOptions options;  // of --help-deck and its like
  return run_program(
      {.name = program,
       .purpose = "Scores a language model on a text, compares it with another, continues prompts.",
       .declare_keywords = [&](deck::Schema& schema) { models::declare_keywords(schema, options); },
       .check = check,
       .run = evaluate},
      argc, argv);
}
