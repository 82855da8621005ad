// Files appear whole or not at all, and what stands in the way is said clearly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "core/errors.hpp"
#include "files/output_file.hpp"
#include "scratch_folder.hpp"

namespace rankine::files {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::string content_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// Lets no file grow beyond some bytes, as a full disk would.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : saved_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &saved_);
    const rlimit limited{bytes, saved_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limited);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &saved_);
    std::signal(SIGXFSZ, saved_handler_);
  }

 private:
  rlimit saved_{};
  void (*saved_handler_)(int);
};

class OutputFile : public ScratchFolder {};

template <class ErrorKind>
std::string message_of_check(const fs::path& path) {
  try {
    check_writable(path);
  } catch (const ErrorKind& error) {
    return error.what();
  }
  return "no error of that kind";
}

TEST_F(OutputFile, CheckLeavesNoTrace) {
  check_writable(folder_ / "new.h5");
  EXPECT_TRUE(names().empty());
  std::ofstream(folder_ / "old.h5") << "old";
  check_writable(folder_ / "old.h5");
  EXPECT_EQ(content_of(folder_ / "old.h5"), "old");
  EXPECT_EQ(names(), std::vector<std::string>{"old.h5"});
}

TEST_F(OutputFile, CheckNamesAMissingFolder) {
  EXPECT_THAT(message_of_check<InputError>(folder_ / "none" / "x.h5"),
              HasSubstr("there is no folder"));
}

TEST_F(OutputFile, CheckNamesAFolderInTheWay) {
  fs::create_directory(folder_ / "x.h5");
  EXPECT_THAT(message_of_check<InputError>(folder_ / "x.h5"),
              HasSubstr("a folder of that name exists"));
}

TEST_F(OutputFile, CheckWantsAName) {
  EXPECT_THAT(message_of_check<InputError>(folder_ / ""), HasSubstr("it names no file"));
  EXPECT_THAT(message_of_check<InputError>(""), HasSubstr("it names no file"));
}

TEST_F(OutputFile, CheckMeetsFoldersNobodyMayWriteTo) {
  // Not even the superuser creates files here.
  EXPECT_THAT(message_of_check<InputError>("/proc/self/x.h5"), HasSubstr("Cannot write"));
}

TEST_F(OutputFile, WritesAndReplaces) {
  write_atomically(folder_ / "x", bytes_of("first, and rather long"));
  write_atomically(folder_ / "x", bytes_of("second"));
  EXPECT_EQ(content_of(folder_ / "x"), "second");
  EXPECT_EQ(names(), std::vector<std::string>{"x"});
}

TEST_F(OutputFile, FollowsNoLinkAndForeseesNoName) {
  std::ofstream(folder_ / "other") << "of another";
  for (const char* name : {"x", "x.new"}) fs::create_symlink(folder_ / "other", folder_ / name);
  write_atomically(folder_ / "x", bytes_of("mine"));
  EXPECT_EQ(content_of(folder_ / "other"), "of another");
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(folder_ / "x")));
  EXPECT_EQ(content_of(folder_ / "x"), "mine");
  EXPECT_NE(temporary_name(folder_ / "x"), temporary_name(folder_ / "x"));
}

TEST_F(OutputFile, RemovesOnlyItsOwnLeftovers) {
  std::ofstream(temporary_name(folder_ / "x")) << "half";
  for (const char* name : {"x", "x.new", "x.new-copy", "y.new-0123456789ab"})
    std::ofstream(folder_ / name) << "kept";
  remove_leftovers(folder_ / "x");
  remove_leftovers(folder_ / "no such folder" / "x");
  EXPECT_EQ(names(), (std::vector<std::string>{"x", "x.new", "x.new-copy", "y.new-0123456789ab"}));
}

TEST_F(OutputFile, LeavesTheOldFileWhenTheDiskIsFull) {
  write_atomically(folder_ / "x", bytes_of("old"));
  {
    const FullDisk full(10);
    EXPECT_THROW(write_atomically(folder_ / "x", bytes_of(std::string(1000, 'n'))), ResourceError);
  }
  EXPECT_EQ(content_of(folder_ / "x"), "old");
  EXPECT_EQ(names(), std::vector<std::string>{"x"});
}

TEST_F(OutputFile, LeavesNothingWhenAFolderIsInTheWay) {
  fs::create_directories(folder_ / "x" / "inside");
  EXPECT_THROW(write_atomically(folder_ / "x", bytes_of("text")), InputError);
  EXPECT_EQ(names(), std::vector<std::string>{"x"});
}

}  // namespace
}  // namespace rankine::files
