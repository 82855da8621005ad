#include "distill/slices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "core/errors.hpp"
#include "core/text_format.hpp"
#include "deck/suggestion.hpp"

namespace rankine::distill {

namespace {

using Stages = std::vector<StageLayout>;

/// Stages from `first` to before `end`.
struct Run {
  std::size_t first, end;
};

Slice slice_of(const Stages& stages, const Run& run) {
  const std::string& first = stages[run.first].module;
  Slice slice{.name = run.end == run.first + 1
                          ? first
                          : fmt::format("{}-{}", first, stages[run.end - 1].module),
              .first_stage = run.first,
              .end_stage = run.end,
              .weights = {},
              .cost = 0};
  for (std::size_t s = run.first; s < run.end; ++s) {
    slice.weights.insert(slice.weights.end(), stages[s].weights.begin(), stages[s].weights.end());
    slice.cost += stages[s].cost;
  }
  return slice;
}

[[noreturn]] void refuse_unknown(const Stages& stages, const std::string& name) {
  std::vector<std::string> modules;
  for (const StageLayout& stage : stages) modules.push_back(stage.module);
  const auto near = deck::nearest(name, modules);
  throw InputError(fmt::format(
      "slices.list names {}, which is no part of the network (it has {}, from {} to {}). {}", name,
      counted(std::ssize(modules), "part"), modules.front(), modules.back(),
      near ? fmt::format("Did you mean {}?", *near) : "Correct the name."));
}

bool is_inside(const StageLayout& stage, const std::string& name) {
  return name.starts_with(stage.module + ".") || std::ranges::count(stage.inner, name) > 0;
}

std::size_t stage_named(const Stages& stages, const std::string& name) {
  const auto found = std::ranges::find(stages, name, &StageLayout::module);
  if (found != stages.end()) return static_cast<std::size_t>(found - stages.begin());
  for (const StageLayout& stage : stages)
    if (is_inside(stage, name))
      throw InputError(fmt::format(
          "slices.list names {} (a border behind it would {} {}). Name {} itself.", name,
          stage.is_block ? "cut the skip connection of" : "stand within the layer", stage.module,
          stage.module));
  refuse_unknown(stages, name);
}

Run run_of_entry(const Stages& stages, const std::string& entry) {
  const auto dots = entry.find("..");
  const Run run{
      stage_named(stages, entry.substr(0, dots)),
      1 + stage_named(stages, dots == std::string::npos ? entry : entry.substr(dots + 2))};
  if (run.first >= run.end)
    throw InputError(
        fmt::format("slices.list has {} (the network has {} before {}). Name the first one first.",
                    entry, stages[run.end - 1].module, stages[run.first].module));
  if (slice_of(stages, run).weights.empty())
    throw InputError(fmt::format(
        "slices.list has {} (none of its weights is replaced). Drop it, or widen select.weights.",
        entry));
  return run;
}

std::vector<Run> runs_of_list(const Stages& stages, const std::vector<std::string>& list) {
  struct Entry {
    Run run;
    const std::string* text;
  };
  std::vector<Entry> entries;
  for (const std::string& text : list) entries.push_back({run_of_entry(stages, text), &text});
  std::ranges::stable_sort(entries, {}, [](const Entry& entry) { return entry.run.first; });
  std::vector<Run> runs;
  for (std::size_t e = 0; e < entries.size(); ++e) {
    if (e > 0 && entries[e].run.first < entries[e - 1].run.end)
      throw InputError(fmt::format(
          "the slices {} and {} of slices.list overlap (both have {}). Let each part of the "
          "network be in one of them.",
          *entries[e - 1].text, *entries[e].text, stages[entries[e].run.first].module));
    runs.push_back(entries[e].run);
  }
  return runs;
}

/// Those with weights, as slices.by has them.
std::vector<Run> single_runs(const Stages& stages, SlicesBy by) {
  if (by == SlicesBy::block && std::ranges::none_of(stages, &StageLayout::is_block))
    throw InputError(
        "slices.by = \"block\" is asked for a network without residual blocks (its layers follow "
        "one another). Set slices.by = \"layer\".");
  std::vector<Run> runs;
  for (std::size_t s = 0; s < stages.size(); ++s)
    if (!stages[s].weights.empty() && (by == SlicesBy::layer || stages[s].is_block))
      runs.push_back({s, s + 1});
  return runs;
}

/// The ends of `count` groups of consecutive runs, none of which is empty, whose largest cost is
/// the least: groups of the first runs are known before those of more of them.
std::vector<std::size_t> balanced_ends(const std::vector<double>& sums, std::size_t count) {
  const std::size_t n = sums.size() - 1;
  constexpr double never = std::numeric_limits<double>::infinity();
  // least[g][e] of g groups that end before e, and where the last of them begins.
  std::vector<std::vector<double>> least(count + 1, std::vector<double>(n + 1, never));
  std::vector<std::vector<std::size_t>> begins(count + 1, std::vector<std::size_t>(n + 1, 0));
  least[0][0] = 0;
  for (std::size_t g = 1; g <= count; ++g)
    for (std::size_t e = g; e <= n; ++e)
      for (std::size_t b = g - 1; b < e; ++b) {
        const double cost = std::max(least[g - 1][b], sums[e] - sums[b]);
        if (cost >= least[g][e]) continue;
        least[g][e] = cost;
        begins[g][e] = b;
      }
  std::vector<std::size_t> ends(count);
  for (std::size_t g = count, e = n; g > 0; e = begins[g--][e]) ends[g - 1] = e;
  return ends;
}

std::vector<Run> joined(const Stages& stages, const std::vector<Run>& runs, std::int64_t count) {
  if (count > std::ssize(runs))
    throw InputError(fmt::format(
        "slices.count = {} is more than there are ({} of the network {} weights that are "
        "replaced). Choose at most {}.",
        count, counted(std::ssize(runs), "part"), runs.size() == 1 ? "has" : "have", runs.size()));
  std::vector<double> sums{0};  // of stages between two runs too, which the first of them gets
  for (std::size_t r = 0; r < runs.size(); ++r) {
    const std::size_t end = r + 1 < runs.size() ? runs[r + 1].first : runs[r].end;
    sums.push_back(sums.back() + slice_of(stages, {runs[r].first, end}).cost);
  }
  std::vector<Run> all;
  std::size_t first = 0;
  for (const std::size_t end : balanced_ends(sums, static_cast<std::size_t>(count))) {
    all.push_back({runs[first].first, runs[end - 1].end});
    first = end;
  }
  return all;
}

}  // namespace

std::vector<Slice> plan_slices(const Stages& stages, const SliceOptions& options) {
  std::vector<Run> runs = options.by == SlicesBy::list ? runs_of_list(stages, options.list)
                                                       : single_runs(stages, options.by);
  if (options.count > 0) runs = joined(stages, runs, options.count);
  std::vector<Slice> slices;
  for (const Run& run : runs) slices.push_back(slice_of(stages, run));
  return slices;
}

std::vector<Slice> slices_for(const Stages& stages, const DistillOptions& options,
                              std::int64_t samples) {
  std::vector<Slice> slices = plan_slices(stages, options.slices);
  if (!options.trains_slices()) return slices;
  if (slices.empty())
    throw InputError(
        "there is no slice to train (no weight of them is replaced). Widen select.weights, or set "
        "slices.by = \"layer\".");
  const auto rates = std::ssize(options.distill.learning_rates);
  if (rates > 0 && rates != std::ssize(slices))
    throw InputError(fmt::format(
        "distill.learning_rates has {} (there are {}, from {} to {}). Give one for each, or "
        "distill.learning_rate for all.",
        counted(rates, "number"), counted(std::ssize(slices), "slice"), slices.front().name,
        slices.back().name));
  if (samples < 2)
    throw InputError(fmt::format(
        "there is {} to train slices on (at least one more is held out, to choose the best states "
        "on). Give more images, or more windows under [calibration].",
        counted(samples, "sample")));
  return slices;
}

}  // namespace rankine::distill
