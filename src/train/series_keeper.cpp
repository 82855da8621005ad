#include "train/series_keeper.hpp"

#include <nlohmann/json.hpp>

#include "core/errors.hpp"
#include "weights/storage/tensor_folder.hpp"

namespace rankine::train {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(State, steps, losses, scores)

namespace {

/// Arrays of the same kind with memory of their own.
std::vector<Parameter> blanks_of(const std::vector<Parameter>& arrays) {
  std::vector<Parameter> blanks = arrays;
  for (Parameter& blank : blanks) blank.values = torch::empty_like(blank.values.detach());
  return blanks;
}

void copy(const std::vector<Parameter>& from, const std::vector<Parameter>& to) {
  const torch::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < from.size(); ++i) torch::Tensor(to[i].values).copy_(from[i].values);
}

}  // namespace

std::optional<State> SeriesKeeper::restore(std::int64_t steps,
                                           const std::vector<Parameter>& arrays) {
  return series_.restore<State>([&](const std::filesystem::path& folder, const State& state) {
    if (state.steps < 1 || state.steps > steps || std::ssize(state.losses) != state.steps)
      throw InputError("its steps are not those of the deck");
    const std::vector<Parameter> found = blanks_of(arrays);
    weights::read_tensors(ranks_, folder, found);
    copy(found, arrays);
  });
}

void SeriesKeeper::keep(const State& state, const std::vector<Parameter>& arrays, When when) {
  if (!is_wanted_ || (when == When::due && !cadence_.is_due(ranks_))) return;
  series_.add(state, [&](const std::filesystem::path& folder) {
    weights::write_tensors(ranks_, teams_, folder, arrays);
  });
  cadence_.restart();
}

}  // namespace rankine::train
