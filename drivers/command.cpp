#include "command.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <new>
#include <optional>
#include <string>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/memory.hpp"
#include "core/profile.hpp"
#include "core/text_format.hpp"
#include "core/version.hpp"
#include "deck/echo.hpp"
#include "deck/read.hpp"
#include "deck/reference.hpp"
#include "linalg/blas.hpp"
#include "parallel/agreement.hpp"
#include "parallel/run_to_exit_code.hpp"
#include "parallel/session.hpp"

namespace rankine {

namespace {

/// The text of an action that is only a text; nothing for those that do something.
std::optional<std::string> answer(const Command& program, const deck::CommandLine& command) {
  deck::Schema schema;
  program.declare_keywords(schema);
  switch (command.action) {
    case deck::Action::help:
      return command.help;
    case deck::Action::version:
      return fmt::format("{} {} ({})\n", program.name, program_version(), git_commit());
    case deck::Action::help_deck:
      return deck::help_deck(schema, command.topic);
    case deck::Action::print_defaults:
      return deck::default_deck(schema);
    case deck::Action::reference:
      return deck::reference_markdown(schema, program.name);
    default:
      return std::nullopt;
  }
}

/// MPI, HDF5 and what they start map about 190 MiB.
constexpr std::uint64_t session_address_space = std::uint64_t{256} << 20;

/// Under a small limit of address space OpenBLAS never comes back from mapping its buffers: not
/// from a product, and with threads of its own not from the end of the program either.
void require_address_space() {
  const std::uint64_t left = address_space_left(),
                      needed = linalg::blas_address_space() + session_address_space;
  if (left >= needed) return;
  const auto bytes = [](std::uint64_t value) { return format_bytes(static_cast<double>(value)); };
  log().error(
      "the limit of address space (ulimit -v) leaves {}, but the program may need {} before it "
      "computes (128 MiB for {}, the rest for MPI). Raise the limit{}.",
      bytes(left), bytes(needed),
      linalg::blas_threads() == 1 ? "its BLAS thread"
                                  : fmt::format("each of {} BLAS threads", linalg::blas_threads()),
      linalg::blas_threads() == 1 ? "" : ", or set OPENBLAS_NUM_THREADS=1");
  log().flush();
  std::_Exit(static_cast<int>(ExitCode::resource));  // threads of OpenBLAS may be waiting already
}

}  // namespace

int run_command(const Command& program, int argc, char** argv) {
  start_profile();
  require_address_space();
  try {
    const deck::CommandLine command =
        deck::parse_command_line(argc, argv, program.purpose, program.tasks);
    if (const auto text = answer(program, command)) {
      fmt::print("{}", *text);
      return 0;
    }
    if (command.action != deck::Action::run && command.action != deck::Action::task) {
      program.check(command);
      return 0;
    }
    parallel::Session session = [&] {
      const ProfileStage stage("start", Flops::counted);
      return parallel::Session(argc, argv);
    }();
    return parallel::run_to_exit_code(session.world(),
                                      [&] { program.run(session.world(), command); });
  } catch (const Error& error) {
    log().error("{}", error.what());
    return static_cast<int>(error.code());
  } catch (const std::bad_alloc&) {
    log().error("memory does not suffice to read the input. Check the sizes it asks for.");
    return static_cast<int>(ExitCode::resource);
  } catch (...) {
    const parallel::Failure failure = parallel::describe_failure(std::current_exception());
    log().error("{}", failure.message);
    return static_cast<int>(failure.code);
  }
}

}  // namespace rankine
