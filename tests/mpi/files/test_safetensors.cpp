// Checkpoints written and read by several ranks, each its rows; some ranks have none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "../../mpi_world.hpp"
#include "core/errors.hpp"
#include "files/safetensors/safetensors.hpp"
#include "files/safetensors/tensor_checksums.hpp"
#include "parallel/agreement.hpp"

namespace rankine::files {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

int rank() { return world().rank(); }

/// A folder that all ranks see, removed after the test.
class Checkpoint : public testing::Test {
 protected:
  Checkpoint() {
    const std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ = world().broadcast(
        testing::TempDir() + "rankine_" + test + "_" + std::to_string(getpid()), 0);
    if (rank() == 0) fs::remove_all(folder_);
    world().barrier();
  }
  ~Checkpoint() override {
    world().barrier();
    if (rank() == 0) fs::remove_all(folder_);
    world().barrier();
  }

  std::vector<std::string> names() const {
    std::vector<std::string> found;
    if (fs::exists(folder_)) {
      for (const auto& entry : fs::directory_iterator(folder_)) {
        found.push_back(entry.path().filename().string());
      }
    }
    std::ranges::sort(found);
    return found;
  }

  fs::path folder_;
};

const std::vector<TensorPlan> plan = {{"layer.weight", DataType::float32, {5, 3}},
                                      {"layer.bias", DataType::bfloat16, {5}},
                                      {"scale", DataType::float64, {}},
                                      {"empty", DataType::float32, {0, 4}},
                                      {"cube", DataType::float16, {2, 2, 2}}};

/// Small halves of integers: exact in every type.
float value_of(const TensorPlan& tensor, std::int64_t i) {
  return static_cast<float>(i) / 2 - static_cast<float>(tensor.name.size());
}

std::int64_t row_length(const TensorPlan& tensor) {
  std::int64_t length = 1;
  for (std::size_t axis = 1; axis < tensor.shape.size(); ++axis) length *= tensor.shape[axis];
  return length;
}

std::int64_t row_count(const TensorPlan& tensor) {
  return tensor.shape.empty() ? 1 : tensor.shape.front();
}

/// Rows of this rank: as even as can be, so that most ranks have none of a small tensor.
std::pair<std::int64_t, std::int64_t> my_rows(const TensorPlan& tensor) {
  const std::int64_t count = row_count(tensor);
  const std::int64_t first = count * rank() / world().size();
  return {first, count * (rank() + 1) / world().size() - first};
}

std::vector<float> values_of(const TensorPlan& tensor, std::int64_t first, std::int64_t rows) {
  std::vector<float> values;
  for (std::int64_t i = first * row_length(tensor); i < (first + rows) * row_length(tensor); ++i) {
    values.push_back(value_of(tensor, i));
  }
  return values;
}

void write_mine(SafetensorsWriter& writer, const TensorPlan& tensor) {
  const auto [first, rows] = my_rows(tensor);
  writer.write_rows(tensor.name, first, values_of(tensor, first, rows));
}

void write_all(const fs::path& folder, std::uint64_t largest_shard) {
  SafetensorsWriter writer(world(), folder, plan, largest_shard);
  for (const TensorPlan& tensor : plan) write_mine(writer, tensor);
  writer.complete();
}

/// Each rank sees its own rows, and all rows, as they were written.
void expect_all_readable(const fs::path& folder) {
  const SafetensorsReader reader(world(), folder);
  ASSERT_EQ(reader.entries().size(), plan.size());
  EXPECT_EQ(reader.metadata().at("format"), "pt");
  for (const TensorPlan& tensor : plan) {
    const TensorEntry& entry = reader.at(tensor.name);
    EXPECT_EQ(entry.type, tensor.type);
    EXPECT_EQ(entry.shape, tensor.shape);
    const auto [first, rows] = my_rows(tensor);
    std::vector<float> mine(static_cast<std::size_t>(rows * row_length(tensor)));
    reader.read_rows(entry, first, rows, std::span(mine));
    EXPECT_EQ(mine, values_of(tensor, first, rows));
    const auto expected = values_of(tensor, 0, row_count(tensor));
    std::vector<double> all(expected.size());
    reader.read_rows(entry, 0, row_count(tensor), std::span(all));
    EXPECT_TRUE(std::ranges::equal(all, expected));
  }
}

TEST_F(Checkpoint, OfOneFileIsReadAsItWasWritten) {
  write_all(folder_, 1000);
  EXPECT_THAT(names(), ElementsAre("model.safetensors"));
  expect_all_readable(folder_);
}

TEST_F(Checkpoint, OfManyShardsIsReadAsItWasWritten) {
  write_all(folder_, 20);
  EXPECT_THAT(names(),
              ElementsAre("model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors",
                          "model-00003-of-00003.safetensors", "model.safetensors.index.json"));
  expect_all_readable(folder_);
}

TEST_F(Checkpoint, IsReplacedByALaterOneOfEitherForm) {
  write_all(folder_, 20);
  write_all(folder_, 1000);
  EXPECT_THAT(names(), testing::Not(testing::Contains("model.safetensors.index.json")));
  expect_all_readable(folder_);
  world().barrier();
  write_all(folder_, 20);
  EXPECT_THAT(names(), testing::Not(testing::Contains("model.safetensors")));
  expect_all_readable(folder_);
}

TEST_F(Checkpoint, Float64KeepsAllDigits) {
  SafetensorsWriter writer(world(), folder_, {{"thirds", DataType::float64, {3}}});
  const std::vector<double> thirds{1.0 / 3, 2.0 / 3, -1e-300};
  if (rank() == world().size() - 1) writer.write_rows("thirds", 0, std::span(thirds));
  writer.complete();
  const SafetensorsReader reader(world(), folder_);
  std::vector<double> read(3);
  reader.read_rows(reader.at("thirds"), 0, 3, std::span(read));
  EXPECT_EQ(read, thirds);
}

TEST_F(Checkpoint, EachByteIsReadOnce) {
  write_all(folder_, 20);
  const SafetensorsReader reader(world(), folder_);
  std::uint64_t stored = 0;
  for (const TensorPlan& tensor : plan) {
    const auto [first, rows] = my_rows(tensor);
    std::vector<float> mine(static_cast<std::size_t>(rows * row_length(tensor)));
    reader.read_rows(reader.at(tensor.name), first, rows, std::span(mine));
    stored += reader.at(tensor.name).bytes;
  }
  EXPECT_EQ(world().sum(reader.bytes_read()), stored);
}

TEST_F(Checkpoint, LargeTensorsAreConvertedPieceByPiece) {
  // Longer than the buffer of a conversion, and not a multiple of it.
  const TensorPlan large{"large", DataType::bfloat16, {9'000'001}};
  const auto value = [](std::int64_t i) { return static_cast<float>(i % 251); };
  const auto [first, rows] = my_rows(large);
  std::vector<float> mine(static_cast<std::size_t>(rows));
  for (std::int64_t i = 0; i < rows; ++i) mine[static_cast<std::size_t>(i)] = value(first + i);
  SafetensorsWriter writer(world(), folder_, {large});
  writer.write_rows("large", first, mine);
  writer.complete();
  const SafetensorsReader reader(world(), folder_);
  std::vector<float> all(9'000'001);
  reader.read_rows(reader.at("large"), 0, 9'000'001, std::span(all));
  std::int64_t n_wrong = 0;
  for (std::int64_t i = 0; i < 9'000'001; ++i) {
    if (all[static_cast<std::size_t>(i)] != value(i)) ++n_wrong;
  }
  EXPECT_EQ(n_wrong, 0);
}

TEST_F(Checkpoint, ThatIsNotCompletedLeavesNothing) {
  {
    SafetensorsWriter writer(world(), folder_, plan, 20);
    write_mine(writer, plan[0]);
    world().barrier();
  }
  world().barrier();
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(Checkpoint, WithMissingRowsKeepsTheEarlierOne) {
  write_all(folder_, 1000);
  {
    SafetensorsWriter writer(world(), folder_, plan, 1000);
    write_mine(writer, plan[1]);
    try {
      writer.complete();
      ADD_FAILURE() << "completed without all rows";
    } catch (const Error& error) {
      EXPECT_EQ(error.agreed_by(), world().size());
      EXPECT_THAT(error.what(), HasSubstr("0 of 8 values of tensor 'cube' were written"));
    }
  }
  world().barrier();
  EXPECT_THAT(names(), ElementsAre("model.safetensors"));
  expect_all_readable(folder_);
}

/// The message, which must be that of an InputError that all ranks throw.
template <class Work>
std::string agreed_refusal(Work&& work) {
  try {
    work();
  } catch (const InputError& error) {
    EXPECT_EQ(error.agreed_by(), world().size());
    return world().broadcast(error.what(), 0) == error.what() ? error.what() : "not the same";
  }
  return "nothing was refused";
}

TEST_F(Checkpoint, CannotBeWrittenWhereAFileIs) {
  if (rank() == 0) std::ofstream(folder_) << "a file";
  world().barrier();
  EXPECT_THAT(agreed_refusal([&] { SafetensorsWriter(world(), folder_, plan); }),
              HasSubstr("Cannot write '" + folder_.string()));
}

TEST_F(Checkpoint, ThatLosesAFileWhileItIsWrittenKeepsNoNewName) {
  SafetensorsWriter writer(world(), folder_, plan, 20);
  world().barrier();
  if (rank() == 0) {
    fs::remove_all(folder_);
    fs::create_directory(folder_);
  }
  world().barrier();
  EXPECT_THAT(agreed_refusal([&] {
                parallel::agree_on_failure(world(), [&] { write_mine(writer, plan[0]); });
              }),
              HasSubstr("Cannot open '" + folder_.string()));
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(Checkpoint, ThatIsBrokenIsRefusedByAllRanksAlike) {
  write_all(folder_, 1000);
  const fs::path file = folder_ / "model.safetensors";
  if (rank() == 0) fs::resize_file(file, fs::file_size(file) - 1);
  world().barrier();
  EXPECT_THAT(agreed_refusal([&] { SafetensorsReader(world(), folder_); }),
              AllOf(testing::StartsWith("Cannot use tensor 'cube' of '" + file.string()),
                    HasSubstr("it is cut short")));
}

TEST_F(Checkpoint, CutShortAfterItWasOpenedIsNoticedByTheReadingRank) {
  write_all(folder_, 1000);
  const SafetensorsReader reader(world(), folder_);
  world().barrier();
  const fs::path file = folder_ / "model.safetensors";
  if (rank() == 0) fs::resize_file(file, reader.at("cube").begin + 2);
  world().barrier();
  std::vector<float> values(8);
  try {
    reader.read_rows(reader.at("cube"), 0, 2, std::span(values));
    ADD_FAILURE() << "read beyond the end";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr(file.string()), HasSubstr("the file ends before")));
  }
}

TEST_F(Checkpoint, NamesTheTensorThatItLacks) {
  write_all(folder_, 1000);
  const SafetensorsReader reader(world(), folder_);
  EXPECT_EQ(reader.find("absent"), nullptr);
  EXPECT_EQ(reader.find("scale"), &reader.at("scale"));
  try {
    reader.at("absent");
    ADD_FAILURE() << "found what is not there";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("'absent'"), HasSubstr(folder_.string())));
  }
}

std::string message_of_verifying(const fs::path& path, const TensorChecksums& expected) {
  try {
    verify_tensors(world(), path, expected, "the list");
  } catch (const InputError& error) {
    EXPECT_EQ(error.agreed_by(), world().size());
    return error.what();
  }
  return "no error";
}

TEST_F(Checkpoint, HasChecksumsOfItsBytesOnAnyNumberOfRanks) {
  for (const std::uint64_t largest_shard : {std::uint64_t{20}, std::uint64_t{1000}}) {
    write_all(folder_, largest_shard);
    const TensorChecksums sums = checksums_of(world(), folder_);
    ASSERT_EQ(sums.size(), plan.size());
    for (const TensorPlan& tensor : plan) {
      const auto values = values_of(tensor, 0, row_count(tensor));
      std::vector<std::byte> bytes(values.size() * size_of(tensor.type));
      encode(tensor.type, values, bytes);
      EXPECT_EQ(sums.at(tensor.name), partial_checksum(0, bytes)) << tensor.name;
    }
    EXPECT_EQ(message_of_verifying(folder_, sums), "no error");
    world().barrier();
  }
}

TEST_F(Checkpoint, IsRefusedWhereOneBitIsFlipped) {
  write_all(folder_, 1000);
  const TensorChecksums sums = checksums_of(world(), folder_);
  const SafetensorsReader reader(world(), folder_);
  for (const TensorEntry& entry : reader.entries())
    for (std::uint64_t byte = entry.begin; byte < entry.begin + entry.bytes; ++byte) {
      const auto flip = [&] {
        world().barrier();
        if (rank() == 0) {
          std::fstream file(folder_ / "model.safetensors",
                            std::ios::in | std::ios::out | std::ios::binary);
          file.seekg(static_cast<std::streamoff>(byte));
          const int changed = file.get() ^ (1 << byte % 8);
          file.seekp(static_cast<std::streamoff>(byte));
          file.put(static_cast<char>(changed));
        }
        world().barrier();
      };
      flip();
      EXPECT_THAT(message_of_verifying(folder_, sums),
                  HasSubstr("The tensor " + entry.name + " is damaged"));
      flip();
    }
  EXPECT_EQ(message_of_verifying(folder_, sums), "no error");
}

TEST_F(Checkpoint, IsRefusedWhereItIsNotWhatIsListed) {
  write_all(folder_, 1000);
  TensorChecksums sums = checksums_of(world(), folder_);
  auto less = sums, more = sums;
  less.erase("scale");
  more["other"] = 0;
  EXPECT_THAT(message_of_verifying(folder_, less),
              HasSubstr("The tensor scale is not listed in the list"));
  EXPECT_THAT(message_of_verifying(folder_, more), HasSubstr("The tensor other is missing"));
}

TEST(Checksums, TellSignsAndPlacesApart) {
  const auto sum = [](std::vector<double> values) {
    return partial_checksum(0, std::as_bytes(std::span(values)));
  };
  EXPECT_NE(sum({1, 2, 3}), sum({-1, -2, 3}));
  EXPECT_NE(sum({1, 2, 3}), sum({2, 1, 3}));
  EXPECT_NE(sum({0, 0}), sum({0, 0, 0}));
  const std::vector<double> values{1, 2, 3, 4};
  const auto bytes = std::as_bytes(std::span(values));
  EXPECT_EQ(partial_checksum(0, bytes.first(24)) + partial_checksum(3, bytes.subspan(24)),
            sum(values));
}

}  // namespace
}  // namespace rankine::files
