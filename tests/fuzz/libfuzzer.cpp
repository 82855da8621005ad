// The same targets under libFuzzer, which is led by what the code does: RANKINE_FUZZ_TARGET names
// the one to run.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/log.hpp"
#include "target.hpp"
#include "verdict.hpp"

using namespace rankine;
using namespace rankine::fuzz;

namespace {

Target chosen_target() {
  const char* name = std::getenv("RANKINE_FUZZ_TARGET");
  for (const Choice& choice : all_targets())
    if (name != nullptr && std::string(choice.name) == name) return choice.make();
  std::fprintf(stderr, "RANKINE_FUZZ_TARGET names no target; there are:\n");
  for (const Choice& choice : all_targets()) std::fprintf(stderr, "  %s\n", choice.name);
  std::exit(2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Target target = [] {
    log().set_level(spdlog::level::off);
    std::filesystem::current_path(RANKINE_SOURCE_DIR);
    return chosen_target();
  }();
  static const ScratchFolder folder;
  const std::string input(reinterpret_cast<const char*>(data), size);
  const Verdict verdict = verdict_on(target, input, folder.path());
  if (verdict.answer != Answer::wrong) return 0;
  std::fprintf(stderr, "%s\n", verdict.message.c_str());
  std::abort();
}
