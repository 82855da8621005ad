// Machine files are read as decks are, and written so that they read back.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "core/errors.hpp"
#include "run/machine_model.hpp"

namespace rankine::run {
namespace {

/// A file with this text, gone with the object.
class MachineFile {
 public:
  explicit MachineFile(const std::string& text)
      : path_(::testing::TempDir() + "rankine_machine.toml") {
    std::ofstream(path_) << text;
  }
  ~MachineFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string refusal_of(const std::string& text) {
  const MachineFile file(text);
  try {
    read_machine(file.path());
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(MachineModel, ReadsBackWhatIsWritten) {
  MachineModel machine;
  machine.title = "a \"machine\"";
  machine.node = {.nodes = 12, .cores = 48, .memory = 96.5};
  machine.products.float32[2] = 71.25;
  machine.messages.latency = 1.75;
  const MachineFile file(machine_text(machine));
  const MachineModel found = read_machine(file.path());
  EXPECT_EQ(found.title, machine.title);
  EXPECT_EQ(found.node.nodes, 12);
  EXPECT_EQ(found.node.memory, 96.5);
  EXPECT_EQ(found.products.float32, machine.products.float32);
  EXPECT_EQ(found.messages.latency, 1.75);
}

TEST(MachineModel, NamesTheLineOfWhatIsWrong) {
  const std::string text = refusal_of("[node]\ncores = 0\nnode = 3\n");
  EXPECT_NE(text.find(":2"), std::string::npos) << text;
  EXPECT_NE(text.find(":3"), std::string::npos) << text;
  EXPECT_NE(text.find("Did you mean"), std::string::npos) << text;
}

TEST(MachineModel, HasARateForEverySize) {
  EXPECT_NE(refusal_of("[products]\nfloat32 = [1.0, 2.0]\n").find("there are 5 sizes"),
            std::string::npos);
  EXPECT_NE(refusal_of("[decompositions]\nsizes = [4, 16, 16, 32, 64]\n").find("does not ascend"),
            std::string::npos);
}

}  // namespace
}  // namespace rankine::run
