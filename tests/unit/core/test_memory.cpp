// Memory figures of this process, and what control groups leave (on invented /proc and /sys trees).
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "core/memory.hpp"

namespace rankine {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;

TEST(Memory, OfThisProcessGrowsWithWhatItTouches) {
  const std::uint64_t before = resident_bytes();
  EXPECT_GT(before, mebibyte);
  const std::vector<char> touched(64 * mebibyte, 'x');
  EXPECT_GE(resident_bytes(), before + 60 * mebibyte);
  EXPECT_EQ(touched.back(), 'x');
  EXPECT_GE(peak_resident_bytes(), before + 60 * mebibyte);
}

TEST(Memory, OfTheNodeIsKnownHere) { EXPECT_GT(available_node_bytes(), mebibyte); }

class NodeMemory : public testing::Test {
 protected:
  NodeMemory() {
    fs::remove_all(root_);
    put("proc/meminfo", "MemTotal: 9000 kB\nMemFree: 10 kB\nMemAvailable:    4000 kB\n");
  }
  ~NodeMemory() override { fs::remove_all(root_); }

  void put(const std::string& path, const std::string& content) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << content;
  }

  const fs::path root_ =
      fs::path(testing::TempDir()) / ("rankine_node_memory_" + std::to_string(getpid()));
};

TEST_F(NodeMemory, IsWhatTheKernelCallsAvailable) {
  EXPECT_EQ(available_node_bytes(root_), 4000U * 1024);
}

TEST_F(NodeMemory, IsUnknownWithoutProc) { EXPECT_EQ(available_node_bytes(root_ / "nowhere"), 0U); }

TEST_F(NodeMemory, IsWhatTheTightestControlGroupLeaves) {
  put("proc/self/cgroup", "0::/job_7/step_0\n");
  put("sys/fs/cgroup/job_7/step_0/memory.max", "max\n");
  put("sys/fs/cgroup/job_7/step_0/memory.current", "500000\n");
  put("sys/fs/cgroup/job_7/memory.max", "1000000\n");
  put("sys/fs/cgroup/job_7/memory.current", "600000\n");
  put("sys/fs/cgroup/job_7/memory.stat", "anon 100\nfile 250000\ninactive_file 200000\n");
  EXPECT_EQ(available_node_bytes(root_), 600000U);  // 1000000 - (600000 - 200000)
}

TEST_F(NodeMemory, KnowsTheFirstVersionOfControlGroups) {
  put("proc/self/cgroup", "5:cpu:/job\n4:memory:/job\n");
  put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  put("sys/fs/cgroup/memory/memory.usage_in_bytes", "0\n");
  put("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "3000\n");
  put("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "1000\n");
  EXPECT_EQ(available_node_bytes(root_), 2000U);
}

TEST_F(NodeMemory, IsNothingWhereTheLimitIsPassed) {
  put("proc/self/cgroup", "0::/\n");
  put("sys/fs/cgroup/memory.max", "1000\n");
  put("sys/fs/cgroup/memory.current", "2000\n");
  EXPECT_EQ(available_node_bytes(root_), 0U);
}

}  // namespace
}  // namespace rankine
