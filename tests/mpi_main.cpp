// GoogleTest under MPI: the program fails on all ranks if a test fails on any rank.
//
// Rank 0 prints as usual, the others only what failed. A rank that leaves a test early may leave
// the others waiting in a collective: CTest's timeout turns that into a failure.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "mpi_world.hpp"
#include "parallel/session.hpp"

namespace {

const rankine::parallel::Communicator* the_world = nullptr;

class FailurePrinter final : public testing::EmptyTestEventListener {
 public:
  explicit FailurePrinter(int rank) : rank_(rank) {}

 private:
  void OnTestStart(const testing::TestInfo& test) override {
    test_ = std::string(test.test_suite_name()) + "." + test.name();
  }
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    std::fprintf(stderr, "rank %d: %s: %s:%d: %s\n", rank_, test_.c_str(), result.file_name(),
                 result.line_number(), result.message());
  }

  int rank_;
  std::string test_ = "outside of tests";
};

void print_only_failures(int rank) {
  testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());
  listeners.Append(new FailurePrinter(rank));
}

}  // namespace

const rankine::parallel::Communicator& world() { return *the_world; }

int main(int argc, char** argv) {
  const rankine::parallel::Session session(argc, argv);
  the_world = &session.world();
  testing::InitGoogleMock(&argc, argv);
  if (world().rank() != 0) print_only_failures(world().rank());
  return world().max(RUN_ALL_TESTS());
}
