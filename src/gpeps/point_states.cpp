#include "gpeps/point_states.hpp"

#include <nlohmann/json.hpp>
#include <variant>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/profile.hpp"
#include "core/text_format.hpp"
#include "core/version.hpp"
#include "parallel/agreement.hpp"
#include "run/fingerprint.hpp"

namespace rankine::gpeps {

namespace {

/// What a person sees of a state; the rest is in its arrays.
struct PointNotes {
  std::int64_t run = 0;
  std::int64_t step = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PointNotes, run, step)

constexpr const char* progress_name = "progress";

/// Everything that the state of a point depends on.
run::Stage stage_of(const Job& job, const Point& point, deck::DeckValues values) {
  run::Fingerprint print;
  print.add(program_version());
  for (const char* swept : {"circuit.theta_h", "state.max_bond_dimension"}) values.erase(swept);
  for (const auto& [key, value] : values) print.add(key).add(value);
  for (const auto& [name, value] : point.parameters) print.add(name).add(value);
  print.add(static_cast<std::uint64_t>(point.max_bond_dimension));
  for (const lattice::Edge& edge : job.graph.edges())
    for (const int number : {edge.a, edge.b, edge.colour})
      print.add(static_cast<std::uint64_t>(number));
  print.add(job.circuit.text().gate_list());
  return {"point", print.value()};
}

class StoredArrays final : public ArraySource {
 public:
  explicit StoredArrays(const files::SafetensorsReader& reader) : reader_(reader) {}

  std::vector<std::int64_t> shape(const std::string& name) const override {
    return reader_.at(name).shape;
  }
  void read(const std::string& name, std::span<float> values) const override {
    read_all(name, values);
  }
  void read(const std::string& name, std::span<double> values) const override {
    read_all(name, values);
  }

 private:
  template <class T>
  void read_all(const std::string& name, std::span<T> values) const {
    const files::TensorEntry& entry = reader_.at(name);
    reader_.read_rows(entry, 0, entry.shape.empty() ? 1 : entry.shape.front(), values);
  }

  const files::SafetensorsReader& reader_;
};

PointProgress read_progress(const files::SafetensorsReader& reader, const Job& job) {
  const files::TensorEntry& entry = reader.at(progress_name);
  if (entry.shape.size() != 1) throw InputError("its progress is no list of numbers");
  std::vector<double> numbers(static_cast<std::size_t>(entry.shape[0]));
  reader.read_rows(entry, 0, entry.shape[0], std::span(numbers));
  return unpacked_progress(numbers, job.plan);
}

}  // namespace

PointStates::PointStates(const Job& job, const Point& point, const parallel::Communicator& team,
                         const run::RunControl& control)
    : job_(job),
      point_(point),
      team_(team),
      control_(control),
      store_(team, control.options.directory, 0, control.values),
      series_(store_, stage_of(job, point, control.values), control.options.keep),
      cadence_(control.options.checkpoint_interval) {}

PointResult PointStates::simulate(const Report& report) {
  const std::optional<PointProgress> from = restore();
  std::optional<StoredArrays> arrays;
  if (stored_) arrays.emplace(*stored_);
  return simulate_point(job_, point_, team_, report,
                        {.between_steps = [this](const Pause& pause) { between_steps(pause); },
                         .from = from ? &*from : nullptr,
                         .state = arrays ? &*arrays : nullptr});
}

std::optional<PointProgress> PointStates::restore() {
  const ProfileStage stage("checkpoint", Flops::counted);
  std::optional<PointProgress> progress;
  const auto notes =
      series_.restore<PointNotes>([&](const std::filesystem::path& folder, const PointNotes&) {
        auto reader = std::make_unique<files::SafetensorsReader>(team_, folder);
        progress = parallel::agree_on_failure(team_, [&] { return read_progress(*reader, job_); });
        stored_ = std::move(reader);
      });
  if (!notes) return std::nullopt;
  log().info("the point goes on after step {} from run.directory", notes->step);
  return progress;
}

void PointStates::between_steps(const Pause& pause) {
  const std::string reason = control_.stop.reason(team_);
  if (store_.is_wanted() && (!reason.empty() || cadence_.is_due(team_))) {
    const ProfileStage stage("checkpoint", Flops::counted);
    cadence_.while_writing([&] {
      series_.add(PointNotes{pause.progress.run, pause.progress.step},
                  [&](const std::filesystem::path& folder) { write(pause, folder); });
    });
  }
  if (!reason.empty()) throw known_to_all(team_.size(), Stopped(reason));
}

void PointStates::write(const Pause& pause, const std::filesystem::path& folder) const {
  const StateArrays arrays = pause.state_arrays();
  const std::vector<double> progress = packed(pause.progress);
  std::vector<files::TensorPlan> plan{
      {progress_name, files::DataType::float64, {static_cast<std::int64_t>(progress.size())}}};
  for (const StateArray& array : arrays.all)
    plan.push_back(
        {array.name,
         array.is_single_precision() ? files::DataType::float32 : files::DataType::float64,
         array.shape});
  files::SafetensorsWriter writer(team_, folder, std::move(plan));
  parallel::agree_on_failure(team_, [&] {
    if (team_.rank() == 0) writer.write_rows(progress_name, 0, std::span(progress));
    for (const StateArray& array : arrays.all)
      if (array.owner == team_.rank())
        std::visit([&](const auto& values) { writer.write_rows(array.name, 0, values); },
                   array.values);
  });
  writer.complete();
}

}  // namespace rankine::gpeps
