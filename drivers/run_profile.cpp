#include "run_profile.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <numeric>

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

double RunProfile::Stage::all_seconds() const { return sum_of(seconds); }

RunProfile::RunProfile(const parallel::Communicator& world, const Stopwatch& clock) {
  std::string names;
  std::vector<Numbers> numbers;
  for (const StageProfile& stage : profile()) {
    names += stage.name;
    numbers.push_back(
        {stage.name.size(), stage.calls, stage.seconds, stage.flops, stage.bytes_sent});
  }
  const double seconds = clock.seconds();
  const std::size_t count = numbers.size();
  wall_seconds_ = world.gather(std::span<const double>(&seconds, 1), 0);
  const auto counts = world.gather(std::span<const std::size_t>(&count, 1), 0);
  const auto all_numbers = world.gather(std::span<const Numbers>(numbers), 0);
  const auto all_names = world.gather(std::span<const char>(names), 0);
  auto name = all_names.begin();
  auto next = all_numbers.begin();
  for (std::size_t rank = 0; rank < counts.size(); ++rank)
    for (std::size_t s = 0; s < counts[rank]; ++s, ++next) {
      const auto end = name + static_cast<std::ptrdiff_t>(next->name_length);
      add(rank,
          {std::string(name, end), next->calls, next->seconds, next->flops, next->bytes_sent});
      name = end;
    }
  std::ranges::stable_sort(stages_, std::greater<>(), &Stage::all_seconds);
}

void RunProfile::add(std::size_t rank, const StageProfile& of_rank) {
  Stage& all = stage(of_rank.name);
  all.calls[rank] = of_rank.calls;
  all.seconds[rank] = of_rank.seconds;
  all.flops[rank] = of_rank.flops;
  all.bytes_sent[rank] = of_rank.bytes_sent;
}

RunProfile::Stage& RunProfile::stage(const std::string& name) {
  const auto same = std::ranges::find(stages_, name, &Stage::name);
  if (same != stages_.end()) return *same;
  const std::vector<double> reals(wall_seconds_.size());
  const std::vector<std::int64_t> integers(wall_seconds_.size());
  return stages_.emplace_back(Stage{name, integers, reals, reals, integers});
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
  const std::vector<std::size_t> shape{stages_.size(), wall_seconds_.size()};
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
  file.set_attribute("/timing/profile", "wall_seconds", wall_seconds_);
}

double RunProfile::imbalance() const {
  std::vector<double> busy(wall_seconds_.size(), 0.0);
  for (const Stage& stage : stages_)
    for (std::size_t rank = 0; rank < busy.size(); ++rank)
      if (stage.name != "wait") busy[rank] += stage.seconds[rank];
  const double mean = sum_of(busy) / static_cast<double>(busy.size());
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
  if (wall_seconds_.size() > 1)
    line += fmt::format("; the busiest rank works {:.2f} times the mean", imbalance());
  return line;
}

}  // namespace rankine
