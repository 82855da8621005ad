#include "program.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <system_error>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/memory.hpp"
#include "core/profile.hpp"
#include "core/stop_signal.hpp"
#include "core/text_format.hpp"
#include "core/timer.hpp"
#include "core/version.hpp"
#include "deck/echo.hpp"
#include "deck/read.hpp"
#include "files/output_file.hpp"
#include "files/output_lock.hpp"
#include "linalg/blas.hpp"
#include "parallel/agreement.hpp"
#include "parallel/node.hpp"
#include "parallel/session.hpp"
#include "run/earlier_results.hpp"
#include "run/one_reader.hpp"
#include "run_profile.hpp"
#include "threads.hpp"

namespace rankine {

namespace {

run::Machine machine_of(int ranks, int ranks_per_node) {
  const ThreadChoice choice = threads_of_rank(ranks_per_node);
  return {.ranks = ranks,
          .ranks_per_node = ranks_per_node,
          .threads = choice.threads,
          .are_threads_asked = choice.is_users,
          .node_bytes = available_node_bytes()};
}

/// Seconds of wall time that are left: what the deck says, else the end of the Slurm job; 0 for no
/// limit.
double time_limit(const run::RunOptions& options) {
  if (options.wall_time_limit > 0) return options.wall_time_limit;
  const char* text = std::getenv("SLURM_JOB_END_TIME");
  if (!text) return 0;
  std::int64_t end = 0;
  const std::string_view digits(text);
  std::from_chars(digits.data(), digits.data() + digits.size(), end);
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return end > now ? static_cast<double>(end - now) : 0;
}

/// A folder by the name that its lock has, ".lock" behind it; the folders above it are made.
std::filesystem::path lockable(const std::string& directory) {
  std::filesystem::path path = std::filesystem::path(directory).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  std::error_code ignored;  // the lock says what is wrong
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), ignored);
  return path;
}

deck::DeckValues values_of(const deck::Schema& schema, const deck::CommandLine& command) {
  return deck::values_of_effective_deck(deck::effective_deck(schema), command.deck);
}

/// The input files that were read, but for the deck.
std::vector<std::string> inputs_of(std::vector<InputRecord> records,
                                   const deck::CommandLine& command) {
  std::erase_if(records, [&](const InputRecord& one) { return one.path == command.deck; });
  return run::input_lines(records);
}

std::unique_ptr<PreparedJob> read_deck(Program& program, deck::Schema& schema,
                                       const deck::CommandLine& command) {
  deck::read_text(schema, deck::load(command.deck), command.deck, command.overrides);
  return program.read(schema);
}

/// Takes what an earlier run has finished; a line that says so, empty for nothing. On one rank.
std::string take_earlier(const Program& program, PreparedJob& job, const deck::DeckValues& values,
                         const std::vector<std::string>& inputs) {
  const auto earlier = run::find_earlier_results(
      program.output_file(),
      {.filetype = program.name(),
       .format_version = program.format_version(),
       .values = values,
       .inputs = inputs,
       .may_differ = job.may_differ()},
      [&](const std::filesystem::path& file) { return job.finished_in(file); });
  if (!earlier) return "";
  job.take(*earlier);
  return fmt::format("{} taken from {}", job.finished(), earlier->filename().string());
}

/// One run of a program, from the deck to the last line.
class Run {
 public:
  /// `clock` runs since the start of the program.
  Run(Program& program, const parallel::Communicator& world, const deck::CommandLine& command,
      const Stopwatch& clock)
      : program_(program), world_(world), command_(command), clock_(clock) {
    program_.declare_keywords(schema_);
  }

  void run() {
    catch_stop_signals(world_.rank() == 0 ? StopWords::said : StopWords::unsaid);
    read();
    plan();
    open_file();
    go_on_from_earlier();
    compute();
    const RunProfile profile(world_, clock_);
    parallel::agree_on_failure(world_, [&] {
      if (!file_) return;
      job_->write(*file_);
      write_profile(profile);
      file_->complete();
      fmt::print("{}", job_->table());
    });
  }

 private:
  void read() {
    const ProfileStage stage("read", Flops::counted);
    const auto records =
        run::read_on_one_rank(world_, [&] { job_ = read_deck(program_, schema_, command_); });
    values_ = values_of(schema_, command_);
    inputs_ = inputs_of(records, command_);
    parallel::agree_on_failure(world_, [&] {
      if (world_.rank() == 0) files::check_writable(program_.output_file());
    });
  }

  void plan() {
    const ProfileStage stage("plan");
    const run::Machine machine = machine_of(world_.size(), parallel::ranks_per_node(world_));
    const Plan plan = parallel::agree_on_failure(world_, [&] {
      job_->require_inputs();
      Plan found = job_->plan(machine);
      job_->require();
      return found;
    });
    threads_ = job_->use_threads(machine);
    log().info("{} {}: {}, {}, {} each", program_.name(), program_version(), plan.summary,
               counted(world_.size(), "rank"), counted(threads_, "thread"));
    for (const std::string& line : plan.lines) log().info("{}", line);
    if (!plan.warning.empty() && world_.rank() == 0) log().warn("{}", plan.warning);
    parallel::agree_on_failure(world_, [&] {
      if (world_.rank() != 0) return;
      for (const std::string& line : job_->found(deck::values_that_count(values_)))
        log().info("{}", line);
    });
  }

  files::RunDescription description() const {
    const char* job_id = std::getenv("SLURM_JOB_ID");
    files::RunDescription description{.filetype = program_.name(),
                                      .format_version = program_.format_version(),
                                      .program = program_.name(),
                                      .n_ranks = world_.size(),
                                      .threads = threads_,
                                      .effective_deck = deck::effective_deck(schema_),
                                      .library_versions = program_.library_versions(),
                                      .inputs = inputs_,
                                      .job_id = job_id ? job_id : ""};
    description.library_versions["mpi"] = parallel::mpi_library_version();
    description.library_versions["blas"] = linalg::blas_library();
    return description;
  }

  void open_file() {
    const ProfileStage stage("save", Flops::counted);
    parallel::agree_on_failure(world_, [&] {
      if (world_.rank() != 0) return;
      file_.emplace(program_.output_file(), description());
      if (const std::string& directory = program_.run_options().directory; !directory.empty())
        restart_lock_.emplace(lockable(directory), program_.name());
      job_->write_inputs(*file_);
    });
  }

  void go_on_from_earlier() {
    const ProfileStage stage("read", Flops::counted);
    parallel::agree_on_failure(world_, [&] {
      if (!file_) return;
      const std::string line = take_earlier(program_, *job_, values_, inputs_);
      if (!line.empty()) log().info("{}", line);
    });
  }

  void compute() {
    const std::string stop_file = program_.output_file() + ".stop";
    run::StopRequest stop(world_,
                          {.file = stop_file, .seconds = time_limit(program_.run_options())});
    run::RunControl control{.options = program_.run_options(),
                            .stop = stop,
                            .values = deck::values_that_count(values_),
                            .save = [&] {
                              const ProfileStage stage("save", Flops::counted);
                              job_->write(*file_);
                              file_->save(job_->finished());
                            }};
    try {
      job_->run(world_, control);
    } catch (const Stopped& stopped) {
      end_stopped(stopped);
    }
  }

  /// The last line of a stopped run: what is kept.
  [[noreturn]] void end_stopped(const Stopped& stopped) {
    std::string kept;
    const RunProfile profile(world_, clock_);
    parallel::agree_on_failure(world_, [&] {
      if (file_) kept = keep(profile);
    });
    throw known_to_all(
        world_.size(),
        Stopped(fmt::format("stopped by {}: {}; the same command goes on", stopped.what(), kept)));
  }

  void write_profile(const RunProfile& profile) {
    log().info("{}", profile.line());
    profile.write(*file_);
  }

  std::string keep(const RunProfile& profile) {
    const std::string finished = job_->finished();
    std::vector<std::string> kept;
    if (!finished.empty()) {
      job_->write(*file_);
      write_profile(profile);
      file_->stop();
      kept.push_back(fmt::format("{} in {}.partial", finished, program_.output_file()));
    }
    if (const std::string& directory = program_.run_options().directory; !directory.empty())
      kept.push_back(fmt::format("what was under way in {}", directory));
    return kept.empty() ? "nothing was finished, and run.directory is not set"
                        : fmt::format("kept {}", fmt::join(kept, ", and "));
  }

  Program& program_;
  const parallel::Communicator& world_;
  const deck::CommandLine& command_;
  const Stopwatch& clock_;
  deck::Schema schema_;
  deck::DeckValues values_;
  std::vector<std::string> inputs_;
  int threads_ = 1;
  std::unique_ptr<PreparedJob> job_;
  std::optional<files::ResultFile> file_;          ///< on rank 0
  std::optional<files::OutputLock> restart_lock_;  ///< on run.directory; on rank 0
};

/// Where `--check` takes the job to run: on the machine of the file, or on this one.
run::Machine checked_machine(const std::optional<run::MachineModel>& model, int ranks) {
  if (!model) return machine_of(ranks, ranks);
  const ThreadChoice choice = threads_of_rank(ranks);
  return run::place(*model, ranks, choice.is_users ? choice.threads : 0);
}

/// Reading and planning take a run what they have taken here.
void print_prediction(const PreparedJob& job, const run::Pace& pace, double planning) {
  std::vector<run::StageCost> stages{{.stage = "reading and planning", .seconds = planning}};
  for (run::StageCost& stage : job.cost(pace)) stages.push_back(std::move(stage));
  for (const std::string& line : run::lines(stages, pace.where())) fmt::print("{}\n", line);
}

/// Everything a job would meet before it computes, without starting MPI.
void check(Program& program, const deck::CommandLine& command) {
  std::optional<run::MachineModel> model;
  if (!command.machine.empty()) model = run::read_machine(command.machine);
  const Stopwatch clock;
  deck::Schema schema;
  program.declare_keywords(schema);
  std::vector<InputRecord> records;
  std::unique_ptr<PreparedJob> job;
  {
    const InputRecorder recorder;
    job = read_deck(program, schema, command);
    records = recorder.records();
  }
  const deck::DeckValues values = values_of(schema, command);
  files::check_writable(program.output_file());
  const run::Machine machine = checked_machine(model, command.ranks);
  const Plan plan = job->plan(machine);
  const double seconds = clock.seconds();
  fmt::print("{}: {}\n", command.deck, plan.summary);
  for (const std::string& line : plan.lines) fmt::print("{}\n", line);
  for (const std::string& line : job->found(deck::values_that_count(values)))
    fmt::print("{}\n", line);
  if (!plan.warning.empty()) fmt::print("{}\n", plan.warning);
  if (model) print_prediction(*job, run::Pace(*model, machine), seconds);
  job->require();
  const std::string earlier =
      take_earlier(program, *job, values, inputs_of(std::move(records), command));
  if (!earlier.empty()) fmt::print("{}\n", earlier);
  if (command.action == deck::Action::dry_run) fmt::print("\n{}", deck::effective_deck(schema));
}

}  // namespace

int run_program(Program& program, int argc, char** argv) {
  const Stopwatch clock;
  return run_command(
      {.name = program.name(),
       .purpose = program.purpose(),
       .tasks = program.tasks(),
       .declare_keywords = [&](deck::Schema& schema) { program.declare_keywords(schema); },
       .check = [&](const deck::CommandLine& command) { check(program, command); },
       .run =
           [&](const parallel::Communicator& world, const deck::CommandLine& command) {
             if (command.action == deck::Action::task) return program.run_task(world, command);
             Run(program, world, command, clock).run();
           }},
      argc, argv);
}

}  // namespace rankine
