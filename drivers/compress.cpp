// rankine-compress: replaces the weights of a language model by forms with fewer numbers, from a
// deck to a result file and a checkpoint.
#include <fmt/format.h>

#include <optional>

#include "compress/compression.hpp"
#include "compress/job/forecast.hpp"
#include "compress/job/output_folders.hpp"
#include "compress/results.hpp"
#include "core/log.hpp"
#include "core/memory.hpp"
#include "core/text_format.hpp"
#include "core/version.hpp"
#include "deck/command_line.hpp"
#include "deck/echo.hpp"
#include "deck/read.hpp"
#include "files/hdf5/result_file.hpp"
#include "files/output_file.hpp"
#include "models/export/export.hpp"
#include "models/threads.hpp"
#include "parallel/agreement.hpp"
#include "parallel/node.hpp"
#include "parallel/session.hpp"
#include "program.hpp"
#include "threads.hpp"
#include "weights/rows/tensor_errors.hpp"

using namespace rankine;

namespace {

constexpr const char* program = "rankine-compress";

/// A deck that has been read, and everything that follows from it before any computing.
struct Input {
  compress::CompressOptions options;
  deck::Schema schema;

  Input() { compress::declare_keywords(schema, options); }
  compress::CompressionJob read(const std::string& text, const deck::CommandLine& command) {
    deck::read_text(schema, text, command.deck, command.overrides);
    files::check_writable(options.scoring.output_file);
    return compress::prepare_compression(options);
  }
};

compress::CompressionMemory plan(const compress::CompressionJob& job, int ranks,
                                 int ranks_per_node) {
  return compress::plan_memory(job, {.ranks = ranks,
                                     .ranks_per_node = ranks_per_node,
                                     .threads = threads_of_rank(ranks_per_node).threads,
                                     .node_bytes = available_node_bytes()});
}

void run(const parallel::Communicator& world, const deck::CommandLine& command) {
  if (command.action == deck::Action::task) {
    models::set_tensor_threads(threads_of_rank(parallel::ranks_per_node(world)).threads);
    return models::materialize(world, command.arguments[0], command.arguments[1]);
  }
  Input input;
  const std::string deck_text = load_deck(world, command.deck);
  const auto job =
      parallel::agree_on_failure(world, [&] { return input.read(deck_text, command); });
  const int per_node = parallel::ranks_per_node(world);
  const int threads = threads_of_rank(per_node).threads;
  models::set_tensor_threads(threads);
  const auto memory = plan(job, world.size(), per_node);
  parallel::agree_on_failure(world, [&] { memory.require(); });
  log().info("{} {}: {} parameters, {} in {}, {} each", program, program_version(),
             job.scoring.config.parameters(), counted(world.size(), "rank"),
             counted(job.options.scoring.parallel.teams, "team"), counted(threads, "thread"));
  log().info("{}", memory.line());
  log().info("{}", compress::method_line(job));
  parallel::agree_on_failure(world, [&] {
    if (world.rank() != 0) return;
    for (const std::string& line : compress::look_into_folders(job).lines) log().info("{}", line);
  });

  files::RunDescription description =
      describe_run(program, compress::result_format_version, input.schema, world.size(), threads);
  description.library_versions["torch"] = models::tensor_library_version();
  std::optional<files::ResultFile> file;
  parallel::agree_on_failure(world, [&] {
    if (world.rank() == 0) file.emplace(job.options.scoring.output_file, description);
  });
  const auto result = compress::compress(job, world, [&](const compress::CompressionResult& known) {
    parallel::agree_on_failure(world, [&] {
      if (!file) return;
      compress::write_results(*file, job, known);
      file->save("the stages done so far");
    });
  });
  parallel::agree_on_failure(world, [&] {
    if (!file) return;
    compress::write_results(*file, job, result);
    file->complete();
    fmt::print("{}", compress::results_table(job, result));
  });
}

/// Everything a job would meet before it loads the weights, without starting MPI.
void check(const deck::CommandLine& command) {
  Input input;
  const auto job = input.read(deck::load(command.deck), command);
  const auto memory = plan(job, command.ranks, command.ranks);
  fmt::print("{}: {} parameters\n{}\n{}\n", command.deck, job.scoring.config.parameters(),
             compress::method_line(job), memory.line());
  const auto folders = compress::look_into_folders(job);
  for (const std::string& line : folders.lines) fmt::print("{}\n", line);
  memory.require();
  folders.require();
  if (command.action == deck::Action::dry_run)
    fmt::print("\n{}", deck::effective_deck(input.schema));
}

}  // namespace

int main(int argc, char** argv) {
  weights::translate_tensor_errors();
  compress::CompressOptions options;  // of --help-deck and its like
  return run_program(
      {.name = program,
       .purpose = "Compresses the weights of a language model and says what it costs.",
       .tasks = {{.option = "--materialize",
                  .n_arguments = 2,
                  .arguments = "FOLDER OUTPUT",
                  .description =
                      "Write the dense checkpoint of a compressed model in native form"}},
       .declare_keywords =
           [&](deck::Schema& schema) { compress::declare_keywords(schema, options); },
       .check = check,
       .run = run},
      argc, argv);
}
