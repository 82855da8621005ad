// The last states are kept, and damaged ones are passed over.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "../../mpi_world.hpp"
#include "files/safetensors/safetensors.hpp"
#include "run/state_series.hpp"

namespace rankine::run {

struct Counter {
  std::int64_t step = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Counter, step)

namespace {

namespace fs = std::filesystem;

class Series : public testing::Test {
 protected:
  Series() {
    if (world().rank() == 0) fs::remove_all(folder_);
    world().barrier();
  }
  ~Series() override {
    world().barrier();
    if (world().rank() == 0) fs::remove_all(folder_);
    world().barrier();
  }

  /// The state of step s is the array {s, s, ...} with a row for each rank.
  void add(StateSeries& series, std::int64_t step) const {
    series.add(Counter{step}, [&](const fs::path& folder) {
      files::SafetensorsWriter writer(world(), folder,
                                      {{"x", files::DataType::float64, {world().size()}}});
      const auto value = static_cast<double>(step);
      writer.write_rows("x", world().rank(), std::span(&value, 1));
      writer.complete();
    });
  }
  std::int64_t restored(StateSeries& series) const {
    double value = 0;
    const auto notes = series.restore<Counter>([&](const fs::path& folder, const Counter&) {
      const files::SafetensorsReader reader(world(), folder);
      reader.read_rows(reader.at("x"), world().rank(), 1, std::span(&value, 1));
    });
    if (notes) EXPECT_EQ(value, static_cast<double>(notes->step));
    return notes ? notes->step : 0;
  }
  std::vector<std::string> names() const {
    world().barrier();
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_))
      found.push_back(entry.path().filename().string().substr(0, 6));
    std::ranges::sort(found);
    world().barrier();
    return found;
  }

  const fs::path folder_ = fs::path(testing::TempDir()) /
                           ("rankine_series_" + world().broadcast(std::to_string(getpid()), 0));
  const StageStore store_{world(), folder_, 7};
  const Stage stage_{"step", 11};
};

TEST_F(Series, KeepsTheLastStates) {
  StateSeries series(store_, stage_, 2);
  EXPECT_EQ(restored(series), 0);
  for (const std::int64_t step : {3, 5, 8}) add(series, step);
  EXPECT_EQ(names(), (std::vector<std::string>{"step.2", "step.3"}));
  StateSeries later(store_, stage_, 2);
  EXPECT_EQ(restored(later), 8);
  StateSeries other(store_, {"step", 12}, 2);
  EXPECT_EQ(restored(other), 0);
  later.clear();
  EXPECT_TRUE(names().empty());
}

TEST_F(Series, PassesOverDamagedStates) {
  StateSeries series(store_, stage_, 3);
  for (const std::int64_t step : {3, 5, 8}) add(series, step);
  const auto of_number = [&](int number) {
    return store_.folder({"step." + std::to_string(number), 11});
  };
  if (world().rank() == 0) fs::resize_file(of_number(3) / "model.safetensors", 40);
  world().barrier();
  StateSeries later(store_, stage_, 3);
  EXPECT_EQ(restored(later), 5);
  if (world().rank() == 0) std::ofstream(of_number(2) / "stage.json") << "{";
  world().barrier();
  StateSeries last(store_, stage_, 3);
  EXPECT_EQ(restored(last), 3);
  add(last, 9);
  EXPECT_EQ(names(), (std::vector<std::string>{"step.1", "step.4"})) << "damaged ones are gone";
}

}  // namespace
}  // namespace rankine::run
