// A program that ends in the way its argument names; expect_exit.sh looks at what mpirun reports.
#include <new>
#include <stdexcept>
#include <string>

#include "core/errors.hpp"
#include "parallel/agreement.hpp"
#include "parallel/run_to_exit_code.hpp"
#include "parallel/session.hpp"
#include "parallel/teams.hpp"

namespace {

using namespace rankine;
using namespace rankine::parallel;

/// Fails on rank 1, or on the only one.
template <class Exception>
void fail_on_one(const Communicator& world, const Exception& exception) {
  if (world.rank() == (world.size() > 1 ? 1 : 0)) throw exception;
}

ExitCode run(const Communicator& world, const std::string& scenario) {
  if (scenario == "stopped") return ExitCode::stopped;
  if (scenario == "agreed") {
    agree_on_failure(world, [&] { fail_on_one(world, InputError("The deck is wrong.")); });
  } else if (scenario == "alone") {
    fail_on_one(world, std::bad_alloc());
    world.barrier();  // The others wait here until they are aborted.
  } else if (scenario == "internal") {
    fail_on_one(world, std::logic_error("index out of range"));
    world.barrier();
  } else if (scenario == "team") {
    const Teams teams(world, 2);
    agree_on_failure(teams.team(), [&] {
      if (teams.index() == 1) throw NumericalError("The state is not finite.");
    });
    world.barrier();
  } else if (scenario == "within_team") {
    const Teams teams(world, 2);
    agree_between_teams(world, teams.team(), [&] {
      fail_on_one(world, NumericalError("The state is not finite."));
      teams.team().barrier();  // The team of that rank waits here until it is aborted.
    });
  }
  return ExitCode::done;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Session session(argc, argv);
    const std::string scenario = argv[1];
    if (scenario == "unwinding") {
      fail_on_one(session.world(), std::runtime_error("past the outermost frame"));
      session.world().barrier();
    }
    return run_to_exit_code(session.world(), [&] { return run(session.world(), scenario); });
  } catch (const std::exception&) {
    return 1;
  }
}
