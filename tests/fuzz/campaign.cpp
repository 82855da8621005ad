// The fuzz programs: run their targets on inputs that are almost right, always the same ones.
//
//   PROGRAM [TARGET ...] [--inputs N] [--first K] [--seed S] [--keep FOLDER]
//   PROGRAM TARGET --replay FILE
//
// Inputs K to K + N - 1 of each target; those that are answered wrongly go into FOLDER.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/random_stream.hpp"
#include "mutation.hpp"
#include "target.hpp"
#include "verdict.hpp"
#include "watch.hpp"

namespace fs = std::filesystem;
using namespace rankine;
using namespace rankine::fuzz;

namespace {

struct Plan {
  std::vector<std::string> targets;
  std::uint64_t inputs = 10000;
  std::uint64_t first = 0;
  std::uint64_t seed = 1;
  fs::path keep = "fuzz-failures";
  std::string replay;
};

std::uint64_t number(const std::string& text) {
  std::uint64_t value = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error != std::errc{} || end != last) throw std::invalid_argument(text + " is no number");
  return value;
}

Plan read_arguments(const std::vector<std::string>& arguments) {
  Plan plan;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    if (!name.starts_with("--")) {
      plan.targets.push_back(name);
      continue;
    }
    if (++i == arguments.size()) throw std::invalid_argument(name + " needs a value");
    if (name == "--inputs")
      plan.inputs = number(arguments[i]);
    else if (name == "--first")
      plan.first = number(arguments[i]);
    else if (name == "--seed")
      plan.seed = number(arguments[i]);
    else if (name == "--keep")
      plan.keep = arguments[i];
    else if (name == "--replay")
      plan.replay = arguments[i];
    else
      throw std::invalid_argument("unknown option " + name);
  }
  plan.keep = fs::absolute(plan.keep);
  if (!plan.replay.empty()) plan.replay = fs::absolute(plan.replay);
  return plan;
}

/// How the inputs of one target were answered.
class Tally {
 public:
  void count(const Verdict& verdict, std::uint64_t input, double seconds) {
    ++(verdict.answer == Answer::accepted ? accepted_ : refused_);
    if (seconds < slowest_seconds_) return;
    slowest_seconds_ = seconds;
    slowest_ = input;
  }
  /// Whether this is a new kind of wrong answer; kinds differ in the first words of their message.
  bool is_news(const std::string& message) { return kinds_.insert(message.substr(0, 80)).second; }
  bool is_clean() const { return kinds_.empty(); }

  void print(const std::string& target, double seconds) const {
    const auto total = static_cast<double>(accepted_ + refused_);
    fmt::print(
        "{:16} {:8} inputs, {:7.0f}/s, {:3.0f} % accepted; slowest {:.3f} s (number {}); {} kinds "
        "of wrong answers\n",
        target, accepted_ + refused_, total / seconds, 100 * static_cast<double>(accepted_) / total,
        slowest_seconds_, slowest_, kinds_.size());
    std::fflush(stdout);
  }

 private:
  std::uint64_t accepted_ = 0;
  std::uint64_t refused_ = 0;
  double slowest_seconds_ = 0;
  std::uint64_t slowest_ = 0;
  std::set<std::string> kinds_;
};

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Of letters only, so that targets have streams of their own.
std::uint64_t number_of(const std::string& name) {
  std::uint64_t value = 0;
  for (const char letter : name) value = 31 * value + static_cast<unsigned char>(letter);
  return value;
}

/// Whether all inputs were answered rightly.
bool run_campaign(const Target& target, const Plan& plan, const fs::path& folder) {
  // The seeds themselves are valid; a target that refuses them tests little.
  for (const std::string& seed : target.seeds) {
    const Verdict verdict = verdict_on(target, seed, folder);
    if (verdict.answer == Answer::accepted) continue;
    report(fmt::format("{}: a seed is not accepted: {}", target.name, verdict.message));
    return false;
  }
  Tally tally;
  const double begin = now();
  for (std::uint64_t i = plan.first; i < plan.first + plan.inputs; ++i) {
    RandomStream random({plan.seed, number_of(target.name), i});
    const std::string input = mutated_seed(target, random);
    const std::string file =
        (plan.keep / fmt::format("{}-{}-{}", target.name, plan.seed, i)).string();
    const double input_begin = now();
    input_begins(input, file);
    const Verdict verdict = verdict_on(target, input, folder);
    input_is_done();
    tally.count(verdict, i, now() - input_begin);
    if (verdict.answer != Answer::wrong || !tally.is_news(verdict.message)) continue;
    write_file(file, input);
    report(fmt::format("{}: {}\n  {}", target.name, file, verdict.message));
  }
  tally.print(target.name, now() - begin);
  return tally.is_clean();
}

bool replay(const Target& target, const fs::path& file, const fs::path& folder) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::invalid_argument("cannot read " + file.string());
  const std::string input(std::istreambuf_iterator<char>(stream), {});
  const Verdict verdict = verdict_on(target, input, folder);
  constexpr const char* answers[] = {"accepted", "refused", "wrong"};
  fmt::print("{}: {}\n", answers[static_cast<int>(verdict.answer)], verdict.message);
  return verdict.answer != Answer::wrong;
}

/// Those that are asked for, or all.
std::vector<Choice> chosen_targets(const Plan& plan) {
  std::vector<Choice> all = all_targets();
  if (plan.targets.empty()) return all;
  std::vector<Choice> chosen;
  for (const std::string& name : plan.targets) {
    const auto found = std::ranges::find(all, name, &Choice::name);
    if (found == all.end()) throw std::invalid_argument("there is no target " + name);
    chosen.push_back(*found);
  }
  return chosen;
}

bool run(const Plan& plan) {
  const ScratchFolder folder;
  fs::current_path(RANKINE_SOURCE_DIR);  // decks name their files from there
  if (plan.replay.empty()) {
    fs::create_directories(plan.keep);
    watch_process();
  }
  bool is_clean = true;
  for (const Choice& choice : chosen_targets(plan)) {
    const Target target = choice.make();
    is_clean &= plan.replay.empty() ? run_campaign(target, plan, folder.path())
                                    : replay(target, plan.replay, folder.path());
  }
  return is_clean;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(read_arguments({argv + 1, argv + argc})) ? 0 : 1;
  } catch (const std::exception& error) {
    report(fmt::format("{}: {}", argv[0], error.what()));
    return 2;
  }
}
