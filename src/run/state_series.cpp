#include "run/state_series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <span>
#include <string_view>
#include <system_error>

namespace rankine::run {

namespace fs = std::filesystem;

namespace {

/// The number in "<name>.<number>-<print>"; 0 for another name.
std::int64_t number_in(std::string_view folder, std::string_view name) {
  if (!folder.starts_with(name) || folder.substr(name.size(), 1) != ".") return 0;
  std::int64_t number = 0;
  std::from_chars(folder.data() + name.size() + 1, folder.data() + folder.size(), number);
  return number;
}

}  // namespace

StateSeries::StateSeries(const StageStore& store, Stage stage, std::int64_t keep)
    : store_(store), stage_(std::move(stage)), keep_(keep) {
  if (const auto known = numbers(); !known.empty()) next_ = known.front() + 1;
}

Stage StateSeries::numbered(std::int64_t number) const {
  return {fmt::format("{}.{}", stage_.name, number), stage_.of_deck};
}

std::vector<std::int64_t> StateSeries::numbers() const {
  std::vector<std::int64_t> found;
  if (!store_.is_wanted()) return found;
  if (store_.ranks().rank() == 0) {
    std::error_code error;
    for (fs::directory_iterator entry(store_.directory(), error), end; !error && entry != end;
         entry.increment(error)) {
      const std::string folder = entry->path().filename().string();
      const std::int64_t number = number_in(folder, stage_.name);
      if (number > 0 && folder == store_.folder(numbered(number)).filename())
        found.push_back(number);
    }
    std::ranges::sort(found, std::greater<>());
  }
  return store_.ranks().all_gather(std::span<const std::int64_t>(found));
}

void StateSeries::remove_all_but(std::int64_t count) const {
  for (const std::int64_t number : numbers()) {
    const bool is_whole = std::ranges::find(damaged_, number) == damaged_.end();
    if (is_whole && count-- > 0) continue;
    store_.remove(numbered(number));
  }
}

void StateSeries::pass_over(std::int64_t number, const InputError& error, const char* instead) {
  damaged_.push_back(number);
  if (store_.ranks().rank() == 0) log().warn("{}. {}.", clause_of(error.what()), instead);
}

}  // namespace rankine::run
