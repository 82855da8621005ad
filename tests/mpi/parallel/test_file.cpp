// Each rank writes and reads its own range of a file that all share.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "../../mpi_world.hpp"
#include "core/errors.hpp"
#include "parallel/file.hpp"

namespace rankine::parallel {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// An empty file that all ranks see.
class SharedFile : public testing::Test {
 protected:
  SharedFile() {
    path_ = world().broadcast(testing::TempDir() + "rankine_file_" + std::to_string(getpid()), 0);
    if (world().rank() == 0) std::ofstream(path_, std::ios::trunc);
    world().barrier();
  }
  ~SharedFile() override {
    world().barrier();
    if (world().rank() == 0) std::filesystem::remove(path_);
    world().barrier();
  }

  std::filesystem::path path_;
};

template <class Work>
std::string refusal(Work&& work) {
  try {
    work();
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST_F(SharedFile, HoldsWhatEachRankWrote) {
  const auto mine = static_cast<std::uint64_t>(world().rank());
  const std::vector<std::uint64_t> written = {mine, mine * mine, ~mine};
  {
    File file(path_, File::Access::write);
    file.write(mine * 24, std::as_bytes(std::span(written)));
    file.synchronize();
  }
  world().barrier();
  const File file(path_, File::Access::read);
  for (std::uint64_t other = 0; other < static_cast<std::uint64_t>(world().size()); ++other) {
    std::vector<std::uint64_t> read(3);
    file.read(other * 24, std::as_writable_bytes(std::span(read)));
    EXPECT_EQ(read, (std::vector<std::uint64_t>{other, other * other, ~other}));
  }
  file.read(24, {});
}

TEST_F(SharedFile, IsNotReadBeyondItsEnd) {
  const File file(path_, File::Access::read);
  std::vector<std::byte> bytes(5);
  EXPECT_THAT(refusal([&] { file.read(3, bytes); }),
              AllOf(HasSubstr("Cannot read 5 bytes from byte 3 of '" + path_.string()),
                    HasSubstr("the file ends before")));
}

TEST_F(SharedFile, ThatDoesNotExistCannotBeOpened) {
  const std::string absent = path_.string() + ".absent";
  EXPECT_THAT(refusal([&] { File(absent, File::Access::read); }),
              HasSubstr("Cannot open '" + absent));
  EXPECT_THAT(refusal([&] { File(absent, File::Access::write); }),
              HasSubstr("Cannot open '" + absent));
}

}  // namespace
}  // namespace rankine::parallel
