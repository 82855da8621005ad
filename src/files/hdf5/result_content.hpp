// What a result file holds, before it is written: datasets and attributes by their path.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace rankine::files {

/// The value of an attribute of a group or dataset.
using Attribute = std::variant<std::int64_t, double, std::string, std::vector<std::string>,
                               std::vector<std::int64_t>, std::vector<double>>;

/// What a dataset means. `dims` names its axes, such as {"points", "measured steps"}; `units` is
/// "1" for pure numbers.
struct Description {
  std::string long_name;
  std::string units;
  std::vector<std::string> dims;
  std::map<std::string, Attribute> attributes = {};
  /// Along one axis, a label for each place on it rather than a result; other datasets of the group
  /// name it in their attribute `coordinates`.
  bool labels_axis = false;
};

/// Values in row-major order; an empty shape is a scalar.
template <class T>
struct Array {
  std::vector<std::size_t> shape;
  std::vector<T> values;
};

struct Dataset {
  std::variant<Array<double>, Array<std::int64_t>, Array<std::complex<double>>, Array<std::string>>
      array;
  Description description;
};

/// Keys are absolute paths inside the file ("/results/theta_h"; "/" is the root group).
struct ResultContent {
  std::map<std::string, Dataset> datasets;
  std::map<std::string, std::map<std::string, Attribute>> group_attributes;
};

}  // namespace rankine::files
