#include "run_profile.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <string_view>

namespace rankine {

namespace {

/// What travels of a stage beside its name.
struct Numbers {
  std::size_t name_length;
  std::int64_t calls;
  double seconds;
  double flops;
  std::int64_t bytes_sent;
};

template <class T>
double sum_of(const std::vector<T>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

}  // namespace

std::vector<std::vector<StageProfile>> gather_profiles(const parallel::Communicator& world) {
  std::string names;
  std::vector<Numbers> numbers;
  for (const StageProfile& stage : profile()) {
    names += stage.name;
    numbers.push_back(
        {stage.name.size(), stage.calls, stage.seconds, stage.flops, stage.bytes_sent});
  }
  const std::size_t count = numbers.size();
  const auto counts = world.gather(std::span<const std::size_t>(&count, 1), 0);
  const auto all_numbers = world.gather(std::span<const Numbers>(numbers), 0);
  const auto all_names = world.gather(std::span<const char>(names), 0);
  std::vector<std::vector<StageProfile>> of_ranks;
  std::string_view left(all_names.data(), all_names.size());
  auto next = all_numbers.begin();
  for (const std::size_t stages : counts) {
    auto& mine = of_ranks.emplace_back();
    for (std::size_t s = 0; s < stages; ++s, ++next) {
      mine.push_back({std::string(left.substr(0, next->name_length)), next->calls, next->seconds,
                      next->flops, next->bytes_sent});
      left.remove_prefix(next->name_length);
    }
  }
  return of_ranks;
}

double RunProfile::Stage::all_seconds() const { return sum_of(seconds); }

RunProfile::RunProfile(const std::vector<std::vector<StageProfile>>& of_ranks)
    : ranks_(of_ranks.size()) {
  for (std::size_t rank = 0; rank < ranks_; ++rank)
    for (const StageProfile& mine : of_ranks[rank]) {
      Stage& all = stage(mine.name);
      all.calls[rank] = mine.calls;
      all.seconds[rank] = mine.seconds;
      all.flops[rank] = mine.flops;
      all.bytes_sent[rank] = mine.bytes_sent;
    }
  std::ranges::stable_sort(stages_, std::greater<>(), &Stage::all_seconds);
}

RunProfile::Stage& RunProfile::stage(const std::string& name) {
  const auto same = std::ranges::find(stages_, name, &Stage::name);
  if (same != stages_.end()) return *same;
  return stages_.emplace_back(Stage{name, std::vector<std::int64_t>(ranks_),
                                    std::vector<double>(ranks_), std::vector<double>(ranks_),
                                    std::vector<std::int64_t>(ranks_)});
}

void RunProfile::write(files::ResultFile& file) const {
  std::vector<std::string> names;
  std::vector<std::int64_t> calls, bytes_sent;
  std::vector<double> seconds, flops;
  const auto append = [](auto& all, const auto& more) {
    all.insert(all.end(), more.begin(), more.end());
  };
  for (const Stage& stage : stages_) {
    names.push_back(stage.name);
    append(calls, stage.calls);
    append(seconds, stage.seconds);
    append(flops, stage.flops);
    append(bytes_sent, stage.bytes_sent);
  }
  const std::string group = "/timing/profile/";
  const std::vector<std::size_t> shape{stages_.size(), ranks_};
  const std::vector<std::string> dims{"stages", "ranks"};
  file.write(group + "stage", names, {names.size()},
             {.long_name = "what a rank was doing, those that took most first",
              .units = "1",
              .dims = {"stages"},
              .labels_axis = true});
  file.write(group + "calls", calls, shape, {"times a stage was entered", "1", dims});
  file.write(group + "seconds", seconds, shape,
             {"wall time in a stage and in no stage within it", "s", dims});
  file.write(group + "flops", flops, shape,
             {"floating-point operations; NaN where not all are counted", "1", dims});
  file.write(group + "bytes_sent", bytes_sent, shape,
             {"bytes given to MPI for other ranks or for files", "B", dims});
}

double RunProfile::imbalance() const {
  std::vector<double> busy(ranks_, 0.0);
  for (const Stage& stage : stages_)
    for (std::size_t rank = 0; rank < ranks_; ++rank)
      if (stage.name != "wait") busy[rank] += stage.seconds[rank];
  const double mean = sum_of(busy) / static_cast<double>(ranks_);
  return mean > 0 ? std::ranges::max(busy) / mean : 1;
}

std::string RunProfile::line() const {
  double all = 0;
  for (const Stage& stage : stages_) all += stage.all_seconds();
  std::vector<std::string> largest;
  for (const Stage& stage : stages_) {
    if (largest.size() == 3) break;
    largest.push_back(fmt::format("{} {:.0f} %", stage.name, 100 * stage.all_seconds() / all));
  }
  std::string line = fmt::format("time: {}", fmt::join(largest, ", "));
  if (ranks_ > 1)
    line += fmt::format("; the busiest rank works {:.2f} times the mean", imbalance());
  return line;
}

}  // namespace rankine
