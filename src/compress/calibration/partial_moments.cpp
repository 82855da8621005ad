#include "compress/calibration/partial_moments.hpp"

#include <fmt/format.h>

#include <span>

#include "core/errors.hpp"
#include "files/safetensors/safetensors.hpp"
#include "parallel/agreement.hpp"
#include "weights/rows/element_type.hpp"
#include "weights/storage/parameter.hpp"

namespace rankine::compress {

using parallel::Communicator;
using parallel::Teams;
using torch::Tensor;
using weights::Parameter;

namespace {

std::string moment_name(int team, std::size_t i) { return fmt::format("team{}.moment{}", team, i); }
std::string activation_name(int team, std::size_t i) {
  return fmt::format("team{}.activation{}", team, i);
}

/// Of this team.
std::vector<Parameter> tensors_of(const PartialMoments& state, int team) {
  std::vector<Parameter> all;
  for (std::size_t i = 0; i < state.moments.size(); ++i)
    all.push_back(state.moments[i].own_rows(moment_name(team, i)));
  for (std::size_t i = 0; i < state.activations.size(); ++i)
    all.push_back({activation_name(team, i), state.activations[i], weights::Placement::copy, 0,
                   state.activations[i].size(0)});
  return all;
}

/// The tensors of all teams, on every rank: lengths of axes and bytes of a number travel as counts.
std::vector<files::TensorPlan> plan_of_all(const PartialMoments& state, const Communicator& world,
                                           const Teams& teams) {
  std::vector<std::int64_t> mine;
  if (teams.leads())
    for (const Parameter& tensor : tensors_of(state, teams.index())) {
      const std::vector<std::int64_t> shape = weights::whole_shape(tensor);
      mine.push_back(tensor.values.element_size() == 8 ? 8 : 4);
      mine.push_back(std::ssize(shape));
      mine.insert(mine.end(), shape.begin(), shape.end());
    }
  const auto counts_of = [&](std::int64_t own) {
    std::vector<std::int64_t> of_teams(static_cast<std::size_t>(teams.count()), 0);
    of_teams[static_cast<std::size_t>(teams.index())] = teams.leads() ? own : 0;
    world.sum(std::span(of_teams));
    return of_teams;
  };
  const auto moments = counts_of(std::ssize(state.moments));
  const auto activations = counts_of(std::ssize(state.activations));
  const std::vector<std::int64_t> all = world.all_gather(std::span<const std::int64_t>(mine));
  std::vector<files::TensorPlan> plan;
  auto next = all.begin();
  const auto add = [&](std::string name) {
    const auto type = *next++ == 8 ? files::DataType::float64 : files::DataType::float32;
    const auto axes = *next++;
    plan.push_back({std::move(name), type, {next, next + axes}});
    next += axes;
  };
  for (int team = 0; team < teams.count(); ++team) {
    const auto t = static_cast<std::size_t>(team);
    for (std::int64_t i = 0; i < moments[t]; ++i)
      add(moment_name(team, static_cast<std::size_t>(i)));
    for (std::int64_t i = 0; i < activations[t]; ++i)
      add(activation_name(team, static_cast<std::size_t>(i)));
  }
  return plan;
}

/// As many rows of a tensor, from `first` on, as `shape` has.
Tensor rows_in(const files::SafetensorsReader& reader, const std::string& name, std::int64_t first,
               torch::ScalarType type, const std::vector<std::int64_t>& shape) {
  Tensor values = torch::empty(shape, type);
  weights::with_element_type(values, [&]<class T>(T) {
    reader.read_rows(reader.at(name), first, shape[0],
                     std::span(values.data_ptr<T>(), static_cast<std::size_t>(values.numel())));
  });
  return values;
}

std::vector<Tensor> read_moments_of(const PartialMoments& state, const Teams& teams,
                                    const files::SafetensorsReader& reader) {
  std::vector<Tensor> moments;
  for (std::size_t i = 0; i < state.moments.size(); ++i) {
    const Parameter own = state.moments[i].own_rows(moment_name(teams.index(), i));
    if (reader.at(own.name).shape != weights::whole_shape(own))
      throw InputError("its sums are not those of the selected weights");
    moments.push_back(rows_in(reader, own.name, own.first_row, own.values.scalar_type(),
                              own.values.sizes().vec()));
  }
  return moments;
}

std::vector<Tensor> read_activations_of(const PartialMoments& state, const Teams& teams,
                                        const files::SafetensorsReader& reader) {
  std::vector<Tensor> activations;
  for (std::size_t i = 0; i < state.activations.size(); ++i) {
    const files::TensorEntry& entry = reader.at(activation_name(teams.index(), i));
    if (entry.shape.empty()) throw InputError("its activations are none");
    const auto type = entry.type == files::DataType::float64 ? torch::kFloat64 : torch::kFloat32;
    activations.push_back(rows_in(reader, entry.name, 0, type, entry.shape));
  }
  return activations;
}

}  // namespace

void write_partial(const PartialMoments& state, const Communicator& world, const Teams& teams,
                   const std::filesystem::path& folder) {
  files::SafetensorsWriter writer(world, folder, plan_of_all(state, world, teams));
  parallel::agree_on_failure(world, [&] {
    for (const Parameter& tensor : tensors_of(state, teams.index()))
      weights::write_parameter(writer, tensor.name, tensor, teams.team().rank());
  });
  writer.complete();
}

void read_partial(PartialMoments& state, const Communicator& world, const Teams& teams,
                  const std::filesystem::path& folder) {
  const files::SafetensorsReader reader(world, folder);
  auto [moments, activations] = parallel::agree_on_failure(world, [&] {
    return std::pair(read_moments_of(state, teams, reader),
                     read_activations_of(state, teams, reader));
  });
  for (std::size_t i = 0; i < moments.size(); ++i) state.moments[i].set_own_rows(moments[i]);
  state.activations = std::move(activations);
}

}  // namespace rankine::compress
