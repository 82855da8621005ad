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
  StageCounts counts = {};
};

class Profiler {
 public:
  Profiler() {
    // A stage that begins between messages must not fail: no memory is asked for then.
    accounts_.reserve(most_at_hand);
    open_.reserve(most_at_hand);
    open("other", Flops::unknown);
  }

  void enter(const char* name, Flops flops) {
    book();
    open(name, flops);
  }
  void leave() {
    book();
    open_.pop_back();
  }
  StageCounts* counts() { return &accounts_[open_.back()].counts; }

  const std::vector<Account>& accounts() {
    book();
    return accounts_;
  }

 private:
  /// The time since the last change belongs to the stage that was under way.
  void book() {
    const Clock::time_point now = Clock::now();
    accounts_[open_.back()].time += now - since_;
    since_ = now;
  }

  void open(const char* name, Flops flops) {
    const auto place = place_of(name);
    Account& account = accounts_[place];
    if (open_.empty() || open_.back() != place) ++account.calls;
    if (flops == Flops::unknown) account.counts.are_flops_known = false;
    open_.push_back(place);
  }

  std::size_t place_of(const char* name) {
    const auto same = std::ranges::find(accounts_, name, &Account::name);
    const auto place = static_cast<std::size_t>(same - accounts_.begin());
    if (same == accounts_.end()) accounts_.push_back({name});
    return place;
  }

  static constexpr std::size_t most_at_hand = 64;
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
  stage_counts = profiler.counts();
}

ProfileStage::ProfileStage(const char* name, Flops flops) {
  if (!of_this_thread) return;
  of_this_thread->enter(name, flops);
  stage_counts = of_this_thread->counts();
}

ProfileStage::~ProfileStage() {
  if (!of_this_thread) return;
  of_this_thread->leave();
  stage_counts = of_this_thread->counts();
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
    stage->flops += account.counts.are_flops_known ? account.counts.flops
                                                   : std::numeric_limits<double>::quiet_NaN();
    stage->bytes_sent += account.counts.bytes_sent;
  }
  return stages;
}

}  // namespace rankine
