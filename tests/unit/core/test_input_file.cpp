// Inputs: what is read, and every kind of thing that is no file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/input_file.hpp"

namespace rankine {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class InputFile : public testing::Test {
 protected:
  InputFile() { fs::create_directories(folder_); }
  ~InputFile() override { fs::remove_all(folder_); }

  static std::string reason(const fs::path& path) {
    try {
      check_input(path);
    } catch (const UnreadableInput& error) {
      EXPECT_THAT(error.what(),
                  HasSubstr("Cannot read '" + path.string() + "' (" + error.reason()));
      EXPECT_THROW(read_input(path), UnreadableInput);
      return error.reason();
    }
    return "readable";
  }

  const fs::path folder_ =
      fs::path(testing::TempDir()) / ("rankine_inputs_" + std::to_string(getpid()));
};

TEST_F(InputFile, IsReadWhole) {
  const std::string text("bytes\0of\r\nany\xff kind", 18);
  std::ofstream(folder_ / "x") << text << std::string(200000, 'y');
  fs::create_symlink(folder_ / "x", folder_ / "link");
  EXPECT_EQ(read_input(folder_ / "link"), text + std::string(200000, 'y'));
  std::ofstream(folder_ / "empty").flush();
  EXPECT_EQ(read_input(folder_ / "empty"), "");
}

TEST_F(InputFile, MayBeTooLarge) {
  std::ofstream(folder_ / "x") << std::string(3000, 'y');
  EXPECT_EQ(read_input(folder_ / "x", 3000).size(), 3000U);
  try {
    read_input(folder_ / "x", 2048);
    FAIL();
  } catch (const UnreadableInput& error) {
    EXPECT_THAT(error.what(), HasSubstr("it has more than 2.0 KiB"));
  }
}

TEST_F(InputFile, ThatIsMissingIsLookedForSomewhere) {
  EXPECT_EQ(reason(folder_ / "none"), "there is no such file");
  EXPECT_EQ(reason("none/here"),
            "there is no such file; relative paths begin where the program was "
            "started, in '" +
                fs::current_path().string() + "'");
}

// None of them is opened and waited for.
TEST_F(InputFile, MustBeAnOrdinaryFile) {
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(reason(folder_ / "pipe"), "it is a pipe, not a file");
  EXPECT_EQ(reason("/dev/zero"), "it is a device, not a file");
  EXPECT_EQ(reason(folder_), "it is a folder");
  const int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (folder_ / "socket").string().copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(reason(folder_ / "socket"), "it is a socket, not a file");
  close(descriptor);
}

TEST_F(InputFile, MustBeReachable) {
  fs::create_symlink(folder_ / "loop", folder_ / "loop");
  EXPECT_EQ(reason(folder_ / "loop"), "Too many levels of symbolic links");
  EXPECT_EQ(reason(folder_ / std::string(300, 'x')), "File name too long");
  std::ofstream(folder_ / "file") << "no folder";
  EXPECT_EQ(reason(folder_ / "file" / "x"), "Not a directory");
  EXPECT_THROW(check_input(folder_ / std::string("file\0x", 6)), UnreadableInput);
  if (geteuid() != 0) {
    fs::permissions(folder_ / "file", fs::perms::none);
    EXPECT_EQ(reason(folder_ / "file"), "Permission denied");
  }
}

}  // namespace
}  // namespace rankine
