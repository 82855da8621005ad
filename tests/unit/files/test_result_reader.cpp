// The reader refuses what is missing, truncated or of another kind, and names it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/errors.hpp"
#include "files/hdf5/result_file.hpp"
#include "files/hdf5/result_reader.hpp"
#include "scratch_folder.hpp"

namespace rankine::files {
namespace {

using testing::AllOf;
using testing::HasSubstr;

template <class Read>
std::string input_error_of(Read&& read) {
  try {
    read();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

class ResultReader : public ScratchFolder {
 protected:
  ResultReader() {
    ResultFile file(path_, {.filetype = "test", .format_version = 1, .program = "test"});
    const std::vector<double> many(10000, 1.5);
    file.write("/results/x", many, {many.size()},
               {.long_name = "x", .units = "1", .dims = {"points"}});
    file.complete();
  }

  const std::filesystem::path path_ = folder_ / "results.h5";
};

TEST_F(ResultReader, NamesAMissingFile) {
  EXPECT_THAT(input_error_of([&] { read_doubles(folder_ / "none.h5", "/results/x"); }),
              AllOf(HasSubstr("none.h5"), HasSubstr("there is no such file")));
}

TEST_F(ResultReader, NamesAMissingDatasetOrAttribute) {
  EXPECT_THAT(input_error_of([&] { read_doubles(path_, "/results/y"); }),
              AllOf(HasSubstr("dataset '/results/y'"), HasSubstr("results.h5")));
  EXPECT_THAT(input_error_of([&] { read_attribute(path_, "/results/x", "colour"); }),
              HasSubstr("attribute 'colour' of '/results/x'"));
  EXPECT_THAT(input_error_of([&] { read_attribute(path_, "/nowhere", "colour"); }),
              HasSubstr("attribute 'colour' of '/nowhere'"));
}

TEST_F(ResultReader, RefusesATruncatedFile) {
  const auto whole = std::filesystem::file_size(path_);
  for (const auto size : {whole - 1, whole / 2, std::uintmax_t{100}, std::uintmax_t{0}}) {
    std::filesystem::resize_file(path_, size);
    EXPECT_THAT(input_error_of([&] { read_doubles(path_, "/results/x"); }),
                HasSubstr("Cannot read dataset '/results/x'"))
        << size << " of " << whole << " bytes";
  }
}

TEST_F(ResultReader, RefusesWhatIsNotHdf5) {
  std::ofstream(path_) << "a deck, perhaps";
  EXPECT_THAT(input_error_of([&] { read_doubles(path_, "/results/x"); }), HasSubstr("results.h5"));
}

TEST_F(ResultReader, RefusesValuesOfAnotherKind) {
  EXPECT_NE(input_error_of([&] { read_text(path_, "/results/x"); }), "no InputError");
  EXPECT_NE(input_error_of([&] { read_doubles(path_, "/log"); }), "no InputError");
  EXPECT_NE(input_error_of([&] { read_complex_numbers(path_, "/results/x"); }), "no InputError");
}

TEST_F(ResultReader, ReadsIntegersAsDoublesToo) {
  ResultFile file(path_, {.filetype = "test", .format_version = 1, .program = "test"});
  file.write("/steps", std::vector<std::int64_t>{3, 5}, {2},
             {.long_name = "steps", .units = "1", .dims = {"steps"}});
  file.complete();
  EXPECT_THAT(read_doubles(path_, "/steps").values, testing::ElementsAre(3.0, 5.0));
}

}  // namespace
}  // namespace rankine::files
