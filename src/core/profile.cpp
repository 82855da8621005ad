#include "core/profile.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

namespace rankine {

namespace {

using Clock = std::chrono::steady_clock;

struct Account {
  const char* name;
  std::int64_t calls = 0;
  Clock::duration time{};
  double flops = 0;
  bool is_counted = true;
  std::int64_t bytes_sent = 0;
};

class Profiler {
 public:
  Profiler() {
    open("other");
    current().calls = 1;
    current().is_counted = false;
  }

  void enter(const char* name, Flops flops) {
    book();
    const std::size_t around = open_.back();
    open(name);
    if (open_.back() != around) ++current().calls;
    if (flops == Flops::unknown) current().is_counted = false;
  }
  void leave() {
    book();
    open_.pop_back();
  }
  Account& current() { return accounts_[open_.back()]; }

  const std::vector<Account>& accounts() {
    book();
    return accounts_;
  }

 private:
  /// The time since the last change belongs to the stage that was under way.
  void book() {
    const Clock::time_point now = Clock::now();
    current().time += now - since_;
    since_ = now;
  }

  void open(const char* name) {
    const auto same = std::ranges::find(accounts_, name, &Account::name);
    open_.push_back(static_cast<std::size_t>(same - accounts_.begin()));
    if (same == accounts_.end()) accounts_.push_back({name});
  }

  std::vector<Account> accounts_;
  std::vector<std::size_t> open_;  ///< places of the stages under way, the innermost last
  Clock::time_point since_ = Clock::now();
};

thread_local Profiler* of_this_thread = nullptr;

}  // namespace

void start_profile() {
  static Profiler profiler;
  profiler = Profiler();
  of_this_thread = &profiler;
}

ProfileStage::ProfileStage(const char* name, Flops flops) {
  if (of_this_thread) of_this_thread->enter(name, flops);
}

ProfileStage::~ProfileStage() {
  if (of_this_thread) of_this_thread->leave();
}

void count_flops(double flops) noexcept {
  if (of_this_thread) of_this_thread->current().flops += flops;
}

void count_unknown_flops() noexcept {
  if (of_this_thread) of_this_thread->current().is_counted = false;
}

void count_bytes_sent(std::size_t bytes) noexcept {
  if (of_this_thread) of_this_thread->current().bytes_sent += static_cast<std::int64_t>(bytes);
}

std::vector<StageProfile> profile() {
  std::vector<StageProfile> stages;
  if (!of_this_thread) return stages;
  for (const Account& account : of_this_thread->accounts()) {
    // One name may be several literals.
    auto stage = std::ranges::find(stages, account.name, &StageProfile::name);
    if (stage == stages.end()) stage = stages.insert(stage, {.name = account.name});
    stage->calls += account.calls;
    stage->seconds += std::chrono::duration<double>(account.time).count();
    stage->flops += account.is_counted ? account.flops : std::numeric_limits<double>::quiet_NaN();
    stage->bytes_sent += account.bytes_sent;
  }
  return stages;
}

}  // namespace rankine
