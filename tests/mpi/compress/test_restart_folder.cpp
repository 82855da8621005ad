// Folders of a restart are not trusted: what does not fit, is damaged, or cannot be read by one
// rank alone is one error of all ranks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "../../mpi_world.hpp"
#include "compress/calibration/moments.hpp"
#include "run/stage_store.hpp"
#include "weights/storage/tensor_folder.hpp"

namespace rankine::compress {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using torch::Tensor;
using weights::Parameter;

const run::Stage stage{"weights", 11};
constexpr std::uint64_t model = 5;

class RestartFolder : public testing::TestWithParam<int> {
 protected:
  RestartFolder() : teams_(world(), std::min(GetParam(), world().size())) {
    path_ =
        world().broadcast(testing::TempDir() + "rankine_restart_" + std::to_string(getpid()), 0);
    if (world().rank() == 0) fs::remove_all(path_);
    world().barrier();
  }
  ~RestartFolder() override {
    world().barrier();
    if (world().rank() == 0) fs::remove_all(path_);
    world().barrier();
  }

  /// A matrix of rows over the team and a vector that all have; their numbers are multiples of
  /// `scale`.
  std::vector<Parameter> tensors(double scale) const {
    const auto split = weights::RowSplit::even(9, teams_.team().size());
    const int own = teams_.team().rank();
    const Tensor matrix = torch::arange(63, torch::kFloat64).view({9, 7}) * scale;
    const Tensor vector = torch::arange(5, torch::kFloat64).to(torch::kFloat32) * scale;
    return {{"a.left", matrix.narrow(0, split.first(own), split.count(own)).clone(),
             weights::Placement::rows, split.first(own), 9},
            {"a.core0", vector.clone(), weights::Placement::copy, 0, 5}};
  }

  void keep(const run::StageStore& checkpoint) const {
    weights::write_tensors(world(), teams_, checkpoint.folder(stage), tensors(1));
    checkpoint.complete(stage, {{"count", 2}}, run::Holds::tensors);
  }

  /// The message of the error that all ranks throw, or none does.
  template <class Work>
  std::string message_of(Work&& work) const {
    std::string message = "no error";
    try {
      work();
    } catch (const InputError& error) {
      EXPECT_EQ(error.agreed_by(), world().size());
      message = error.what();
    }
    EXPECT_EQ(world().sum(message == "no error" ? 1 : 0) % world().size(), 0);
    return message;
  }
  std::string message_of_reading(const run::StageStore& checkpoint) const {
    return message_of([&] {
      checkpoint.read_tensors(stage, [&](const fs::path& folder) {
        weights::read_tensors(world(), folder, tensors(0));
      });
    });
  }

  /// One bit of a byte before the end of the stage's tensors.
  void flip(const run::StageStore& checkpoint, std::streamoff from_end) const {
    if (world().rank() == 0) {
      std::fstream file(checkpoint.folder(stage) / "model.safetensors",
                        std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(-from_end, std::ios::end);
      const int changed = file.get() ^ 16;
      file.seekp(-from_end, std::ios::end);
      file.put(static_cast<char>(changed));
    }
    world().barrier();
  }

  parallel::Teams teams_;
  fs::path path_;
};

TEST_P(RestartFolder, ComesBackInEveryTeam) {
  const run::StageStore checkpoint(world(), path_, model);
  EXPECT_FALSE(checkpoint.find<nlohmann::json>(stage));
  keep(checkpoint);
  EXPECT_EQ(checkpoint.find<nlohmann::json>(stage).value(), (nlohmann::json{{"count", 2}}));
  const auto found = tensors(0);
  checkpoint.read_tensors(
      stage, [&](const fs::path& folder) { weights::read_tensors(world(), folder, found); });
  const auto expected = tensors(1);
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_TRUE(torch::equal(found[i].values, expected[i].values)) << found[i].name;
}

TEST_P(RestartFolder, IsRefusedWhereABitIsFlipped) {
  const run::StageStore checkpoint(world(), path_, model);
  keep(checkpoint);
  for (const std::streamoff from_end : {1, 20, 100, 500}) {
    flip(checkpoint, from_end);
    EXPECT_THAT(message_of_reading(checkpoint),
                AllOf(HasSubstr("Cannot go on from '" + checkpoint.folder(stage).string()),
                      HasSubstr("is damaged"), HasSubstr("Remove that folder")));
    flip(checkpoint, from_end);
  }
  EXPECT_EQ(message_of_reading(checkpoint), "no error");
}

TEST_P(RestartFolder, IsRefusedByAllWhereOneRankCannotReadIt) {
  // The last rank sees another folder, as if its node had not the file.
  const bool is_last = world().rank() == world().size() - 1;
  const run::StageStore checkpoint(world(), path_, model);
  keep(checkpoint);
  const fs::path seen = is_last && world().size() > 1 ? path_ / "elsewhere" : path_;
  const run::StageStore partly(world(), seen, model);
  EXPECT_THAT(message_of_reading(partly),
              HasSubstr(world().size() > 1 ? "Cannot open" : "no error"));
  EXPECT_THAT(message_of([&] { weights::read_tensors(world(), partly.folder(stage), tensors(0)); }),
              HasSubstr(world().size() > 1 ? "Cannot open" : "no error"));
}

TEST_P(RestartFolder, IsRefusedWhereTensorsAreOthersThanTheModels) {
  const run::StageStore checkpoint(world(), path_, model);
  keep(checkpoint);
  const fs::path folder = checkpoint.folder(stage);
  const auto message_for = [&](const std::vector<Parameter>& wanted) {
    return message_of([&] { weights::read_tensors(world(), folder, wanted); });
  };
  auto wanted = tensors(0);
  wanted[0].total_rows = 10;
  EXPECT_THAT(message_for(wanted), HasSubstr("the tensor a.left does not fit"));
  wanted = tensors(0);
  wanted[0].values = wanted[0].values.to(torch::kFloat32);
  EXPECT_THAT(message_for(wanted), HasSubstr("it is F64 [9, 7], and not F32 [9, 7]"));
  wanted = tensors(0);
  wanted[1].name = "a.core1";
  EXPECT_THAT(message_for(wanted), HasSubstr("There is no tensor 'a.core1'"));
  wanted.pop_back();
  EXPECT_THAT(message_for(wanted), HasSubstr("there are 2 tensors (and not 1)"));
}

TEST_P(RestartFolder, HoldsMomentsOfTheModelsSizes) {
  std::vector<SecondMoment> moments;
  for (const std::int64_t size : {3, 5}) moments.emplace_back(teams_.team(), size, torch::kFloat64);
  write_moments(moments, world(), path_);
  const auto message_for = [&](const std::vector<std::int64_t>& sizes, torch::ScalarType type) {
    std::vector<MomentShape> shapes;
    for (const std::int64_t size : sizes) shapes.push_back({size, MomentPart::whole});
    return message_of([&] { read_moments(shapes, type, world(), teams_, path_); });
  };
  EXPECT_EQ(message_for({3, 5}, torch::kFloat64), "no error");
  EXPECT_THAT(message_for({3, 4}, torch::kFloat64), HasSubstr("moment1 does not fit"));
  EXPECT_THAT(message_for({3, 6}, torch::kFloat64), HasSubstr("moment1 does not fit"));
  EXPECT_THAT(message_for({3, 5}, torch::kFloat32), HasSubstr("moment0 does not fit"));
  EXPECT_THAT(message_for({3}, torch::kFloat64), HasSubstr("there are 2 tensors"));
  EXPECT_THAT(message_for({3, 5, 5}, torch::kFloat64), HasSubstr("no tensor 'moment2'"));
}

TEST_P(RestartFolder, IsRefusedWhereItIsThatOfAnother) {
  const run::StageStore checkpoint(world(), path_, model), other(world(), path_, model + 1);
  keep(checkpoint);
  EXPECT_FALSE(other.find<nlohmann::json>(stage));
  world().barrier();
  if (world().rank() == 0) fs::rename(checkpoint.folder(stage), other.folder(stage));
  world().barrier();
  EXPECT_THAT(message_of([&] { other.find<nlohmann::json>(stage); }),
              HasSubstr("its stage.json belongs to '" +
                        checkpoint.folder(stage).filename().string() + "'"));
}

TEST_P(RestartFolder, IsRefusedWhereItsNotesAreNoFile) {
  const run::StageStore checkpoint(world(), path_, model);
  if (world().rank() == 0) fs::create_directories(checkpoint.folder(stage) / "stage.json");
  world().barrier();
  EXPECT_THAT(message_of([&] { checkpoint.find<nlohmann::json>(stage); }),
              HasSubstr("is no file that can be read"));
}

INSTANTIATE_TEST_SUITE_P(Teams, RestartFolder, testing::Values(1, 2));

}  // namespace
}  // namespace rankine::compress
