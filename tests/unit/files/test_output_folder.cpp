// Folders that cannot be written to are named before anything is computed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "core/errors.hpp"
#include "files/output_folder.hpp"
#include "scratch_folder.hpp"

namespace rankine::files {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class OutputFolder : public ScratchFolder {};

std::string message_of_folder_check(const fs::path& path) {
  try {
    check_folder_writable(path, "the name");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST_F(OutputFolder, IsFineWhereItIsOrCouldBe) {
  fs::create_directory(folder_ / "there");
  fs::create_directory_symlink("there", folder_ / "link");
  for (const char* name : {"there", "there/", "link", "new", "new/and/deeper", "link/new"})
    EXPECT_EQ(message_of_folder_check(folder_ / name), "no error") << name;
  EXPECT_TRUE(fs::is_empty(folder_ / "there"));
  EXPECT_FALSE(fs::exists(folder_ / "new"));
}

TEST_F(OutputFolder, IsRefusedWithTheReason) {
  std::ofstream(folder_ / "file") << "text";
  fs::create_symlink("nowhere", folder_ / "dangling");
  fs::create_symlink("loop", folder_ / "loop");
  EXPECT_THAT(message_of_folder_check(folder_ / "file"),
              AllOf(HasSubstr("the name cannot be written to"), HasSubstr("file' is no folder")));
  EXPECT_THAT(message_of_folder_check(folder_ / "file/deeper"), HasSubstr("file' is no folder"));
  EXPECT_THAT(message_of_folder_check(folder_ / "dangling/new"), HasSubstr("leads nowhere"));
  EXPECT_THAT(message_of_folder_check(folder_ / "loop"), HasSubstr("symbolic links"));
  EXPECT_THAT(message_of_folder_check(folder_ / std::string(300, 'x')), HasSubstr("too long"));
  EXPECT_THAT(message_of_folder_check("/proc/new"), HasSubstr("cannot be written to"));
}

}  // namespace
}  // namespace rankine::files
