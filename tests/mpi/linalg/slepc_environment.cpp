// SLEPc for the time of the tests.
#include <gtest/gtest.h>

#include <optional>

#include "linalg/svd/slepc_session.hpp"
#include "mpi_world.hpp"

namespace {

class SlepcEnvironment final : public testing::Environment {
 public:
  void SetUp() override { session_.emplace(world()); }
  void TearDown() override { session_.reset(); }

 private:
  std::optional<rankine::linalg::SlepcSession> session_;
};

[[maybe_unused]] const testing::Environment* const environment =
    testing::AddGlobalTestEnvironment(new SlepcEnvironment);

}  // namespace
