// Results survive the way to disk and back; the final name appears only when they are complete.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <optional>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/version.hpp"
#include "files/hdf5/result_file.hpp"
#include "files/hdf5/result_reader.hpp"
#include "scratch_folder.hpp"

namespace rankine::files {
namespace {

using testing::ElementsAre;

std::string text_attribute(const std::filesystem::path& file, const std::string& object,
                           const std::string& name) {
  return std::get<std::string>(read_attribute(file, object, name));
}

std::int64_t integer_attribute(const std::filesystem::path& file, const std::string& object,
                               const std::string& name) {
  return std::get<std::int64_t>(read_attribute(file, object, name));
}

class ResultFileTest : public ScratchFolder {
 protected:
  const std::filesystem::path path_ = folder_ / "eagle.h5";
  const std::filesystem::path partial_ = folder_ / "eagle.h5.partial";
  const RunDescription run_{.filetype = "rankine-simulate",
                            .format_version = 1,
                            .program = "rankine-simulate",
                            .n_ranks = 4,
                            .threads = 2,
                            .effective_deck = "title = \"Eagle\"  # deck line 1\n",
                            .library_versions = {{"BLAS", "OpenBLAS 0.3"}},
                            .job_id = "17"};
};

TEST_F(ResultFileTest, RoundTripOfEveryKindOfValue) {
  ResultFile file(path_, run_);
  const std::vector<double> doubles = {1, -2.5, 1e-300, 4, 5, 6};
  const std::vector<std::int64_t> integers = {1, std::int64_t{1} << 60};
  const std::vector<std::complex<double>> numbers = {{1, 2}, {-3, 0.5}};
  const std::vector<std::string> texts = {"Z62", "", "θ"};
  file.write("/results/z", doubles, {2, 3}, {.long_name = "z", .units = "1", .dims = {"a", "b"}});
  file.write("/results/steps", integers, {2}, {.long_name = "s", .units = "1", .dims = {"a"}});
  file.write("/results/c", numbers, {2, 1}, {.long_name = "c", .units = "1", .dims = {"a", "b"}});
  file.write("/results/names", texts, {3}, {.long_name = "n", .units = "1", .dims = {"a"}});
  file.write("/results/one", std::vector{0.5}, {}, {.long_name = "o", .units = "s", .dims = {}});
  file.write("/results/none", std::vector<double>{}, {0, 3},
             {.long_name = "e", .units = "1", .dims = {"a", "b"}});
  file.complete();

  using NoTexts = std::vector<std::string>;
  EXPECT_EQ(std::get<NoTexts>(read_attribute(path_, "/results/one", "dims")), NoTexts());
  EXPECT_EQ(read_doubles(path_, "/results/z").values, doubles);
  EXPECT_THAT(read_doubles(path_, "/results/z").shape, ElementsAre(2, 3));
  EXPECT_EQ(read_integers(path_, "/results/steps").values, integers);
  EXPECT_EQ(read_complex_numbers(path_, "/results/c").values, numbers);
  EXPECT_THAT(read_complex_numbers(path_, "/results/c").shape, ElementsAre(2, 1));
  EXPECT_EQ(read_texts(path_, "/results/names").values, texts);
  EXPECT_TRUE(read_doubles(path_, "/results/one").shape.empty());
  EXPECT_THAT(read_doubles(path_, "/results/one").values, ElementsAre(0.5));
  EXPECT_THAT(read_doubles(path_, "/results/none").shape, ElementsAre(0, 3));
  EXPECT_TRUE(read_doubles(path_, "/results/none").values.empty());
}

TEST_F(ResultFileTest, DescribesDatasetsAndGroups) {
  ResultFile file(path_, run_);
  file.write("/results/Z62", std::vector{0.25}, {1},
             {.long_name = "expectation value of Z62",
              .units = "1",
              .dims = {"points"},
              .attributes = {{"route", "clifford"},
                             {"tolerance", 1e-9},
                             {"loops", std::vector<std::int64_t>{0, 6}},
                             {"flops", std::vector<double>{0, 1e13}}}});
  file.set_attribute("/results", "n_sites", 127);
  file.set_attribute("/empty/group", "lattice", "eagle");
  file.complete();

  EXPECT_EQ(text_attribute(path_, "/results/Z62", "long_name"), "expectation value of Z62");
  EXPECT_EQ(text_attribute(path_, "/results/Z62", "units"), "1");
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(read_attribute(path_, "/results/Z62", "loops")),
            std::vector<std::int64_t>({0, 6}));
  EXPECT_EQ(std::get<std::vector<double>>(read_attribute(path_, "/results/Z62", "flops")),
            std::vector<double>({0, 1e13}));
  EXPECT_EQ(std::get<std::vector<std::string>>(read_attribute(path_, "/results/Z62", "dims")),
            std::vector<std::string>{"points"});
  EXPECT_EQ(text_attribute(path_, "/results/Z62", "route"), "clifford");
  EXPECT_EQ(std::get<double>(read_attribute(path_, "/results/Z62", "tolerance")), 1e-9);
  EXPECT_EQ(integer_attribute(path_, "/results", "n_sites"), 127);
  EXPECT_EQ(text_attribute(path_, "/empty/group", "lattice"), "eagle");
}

TEST_F(ResultFileTest, SaysWhereItComesFrom) {
  ResultFile file(path_, run_);
  log().info("a line for the result file");
  file.complete();

  EXPECT_EQ(text_attribute(path_, "/", "filetype"), "rankine-simulate");
  EXPECT_EQ(integer_attribute(path_, "/", "format_version"), 1);
  EXPECT_EQ(text_attribute(path_, "/", "program"), "rankine-simulate");
  EXPECT_EQ(text_attribute(path_, "/", "program_version"), program_version());
  EXPECT_EQ(text_attribute(path_, "/", "git_commit"), git_commit());
  EXPECT_THAT(text_attribute(path_, "/", "created_utc"),
              testing::MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"));
  EXPECT_EQ(integer_attribute(path_, "/", "n_ranks"), 4);
  EXPECT_EQ(integer_attribute(path_, "/", "threads"), 2);
  EXPECT_EQ(text_attribute(path_, "/", "status"), "complete");
  EXPECT_EQ(read_text(path_, "/provenance/effective_deck"), run_.effective_deck);
  EXPECT_EQ(text_attribute(path_, "/provenance", "job_id"), "17");
  EXPECT_EQ(text_attribute(path_, "/provenance/versions", "BLAS"), "OpenBLAS 0.3");
  EXPECT_EQ(text_attribute(path_, "/provenance/versions", "HDF5"), hdf5_version());
  EXPECT_THAT(read_texts(path_, "/log").values,
              testing::Contains(testing::EndsWith("a line for the result file")));
  EXPECT_THAT(read_texts(path_, "/log").values.back(), testing::EndsWith("results in eagle.h5"));
}

TEST_F(ResultFileTest, HasItsFinalNameOnlyWhenComplete) {
  ResultFile file(path_, run_);
  EXPECT_THAT(names(), ElementsAre("eagle.h5.lock"));
  file.write("/results/x", std::vector{1.0}, {1}, {.long_name = "x", .units = "1", .dims = {"a"}});
  file.save("1 point");
  EXPECT_THAT(names(), ElementsAre("eagle.h5.lock", "eagle.h5.partial"));
  EXPECT_EQ(text_attribute(partial_, "/", "status"), "running");
  file.write("/results/x", std::vector{1.0, 2.0}, {2},
             {.long_name = "x", .units = "1", .dims = {"a"}});
  file.save("1 point");
  EXPECT_THAT(read_doubles(partial_, "/results/x").values, ElementsAre(1, 2));
  file.complete();
  EXPECT_THAT(names(), ElementsAre("eagle.h5"));
  EXPECT_THAT(read_doubles(path_, "/results/x").values, ElementsAre(1, 2));
}

TEST_F(ResultFileTest, OfAFailedRunLeavesTheOldOneAloneAndSaysSo) {
  ResultFile(path_, run_).complete();
  RunDescription second = run_;
  second.job_id = "18";
  try {
    ResultFile file(path_, second);
    file.save("1 point");
    throw NumericalError("The state is not finite.");
  } catch (const NumericalError&) {
    EXPECT_THAT(names(), ElementsAre("eagle.h5", "eagle.h5.partial"));
  }
  EXPECT_EQ(text_attribute(path_, "/", "status"), "complete");
  EXPECT_EQ(text_attribute(path_, "/provenance", "job_id"), "17");
  EXPECT_EQ(text_attribute(partial_, "/", "status"), "failed");
  EXPECT_EQ(text_attribute(partial_, "/provenance", "job_id"), "18");
}

TEST_F(ResultFileTest, MentionsTheFileItReplaces) {
  ResultFile(path_, run_).complete();
  ResultFile(path_, run_).complete();
  EXPECT_THAT(read_texts(path_, "/log").values.back(),
              testing::EndsWith("results in eagle.h5 (in place of an earlier file of that name)"));
}

TEST_F(ResultFileTest, KeepsASecondRunAwayAndNamesTheFirst) {
  std::optional<ResultFile> first(std::in_place, path_, run_);
  first->save("1 point");
  try {
    const ResultFile second(path_, run_);
    FAIL() << "a second run was let in";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("another run is writing it: process " +
                                                 std::to_string(getpid()) + " on "));
    EXPECT_THAT(error.what(), testing::HasSubstr("(rankine-simulate, since "));
  }
  EXPECT_THAT(names(), ElementsAre("eagle.h5.lock", "eagle.h5.partial"));
  EXPECT_EQ(text_attribute(partial_, "/", "status"), "running") << "the first is not disturbed";
  first.reset();
  ResultFile(path_, run_).complete();
  EXPECT_THAT(names(), ElementsAre("eagle.h5"));
}

TEST_F(ResultFileTest, TakesOverTheLockOfAKilledRun) {
  std::ofstream(folder_ / "eagle.h5.lock") << "process 1 on elsewhere (rankine-simulate)\n";
  std::ofstream(folder_ / "eagle.h5.partial.new-0123456789ab") << "half a file";
  ResultFile(path_, run_).complete();
  EXPECT_THAT(names(), ElementsAre("eagle.h5"));
}

TEST_F(ResultFileTest, OfARunThatFailedBeforeItsFirstResultIsNowhere) {
  { const ResultFile file(path_, run_); }
  EXPECT_TRUE(names().empty());
}

TEST_F(ResultFileTest, RefusesAPathItCannotWrite) {
  EXPECT_THROW(ResultFile(folder_ / "none" / "x.h5", run_), InputError);
}

TEST_F(ResultFileTest, GivesNoFinalNameThatAFolderHasTaken) {
  ResultFile file(path_, run_);
  std::filesystem::create_directory(path_);
  EXPECT_THROW(file.complete(), InputError);
  EXPECT_THAT(names(), ElementsAre("eagle.h5", "eagle.h5.lock", "eagle.h5.partial"));
}

}  // namespace
}  // namespace rankine::files
