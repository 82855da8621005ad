#include "train/series_keeper.hpp"

#include <nlohmann/json.hpp>

#include "core/errors.hpp"
#include "weights/storage/tensor_folder.hpp"

namespace rankine::train {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(State, steps, losses, scores)

std::optional<State> SeriesKeeper::restore(std::int64_t steps,
                                           const std::vector<Parameter>& arrays) {
  return series_.restore<State>([&](const std::filesystem::path& folder, const State& state) {
    if (state.steps < 1 || state.steps > steps || std::ssize(state.losses) != state.steps)
      throw InputError("its steps are not those of the deck");
    weights::read_tensors(ranks_, folder, arrays);
  });
}

void SeriesKeeper::keep(const State& state, const std::vector<Parameter>& arrays, When when) {
  if (!is_wanted_ || (when == When::due && !cadence_.is_due(ranks_))) return;
  cadence_.while_writing([&] {
    series_.add(state, [&](const std::filesystem::path& folder) {
      weights::write_tensors(ranks_, teams_, folder, arrays);
    });
  });
}

}  // namespace rankine::train
