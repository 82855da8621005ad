// Where the axes of datasets have their HDF5 dimension scales, as netCDF reads them, and which
// datasets label the axes of which. Private to the room files.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "files/hdf5/result_content.hpp"

namespace rankine::files {

/// Scales by their path; names are those of `dims` with `_` for what is neither letter nor digit.
struct DimensionScales {
  /// Scales that are lengths only. They stand in the root group, where readers that go through the
  /// datasets of a group do not meet them; where a name has several lengths in the file, beside the
  /// datasets.
  std::map<std::string, std::size_t> lengths;
  /// For each dataset with axes the scale of each; a coordinate variable, which is along one axis
  /// and named like it, is its own.
  std::map<std::string, std::vector<std::string>> of_dataset;
};
DimensionScales dimension_scales(const ResultContent& content);

/// Names, joined by blanks, of the datasets beside `path` that label one of its axes.
std::string coordinates(const ResultContent& content, const std::string& path);

}  // namespace rankine::files
