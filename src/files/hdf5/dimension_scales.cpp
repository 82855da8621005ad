#include "files/hdf5/dimension_scales.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <variant>

namespace rankine::files {

namespace {

std::string scale_name(const std::string& dim) {
  std::string name;
  for (const char c : dim) {
    const bool stays = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (stays)
      name += c;
    else if (!name.ends_with('_'))
      name += '_';
  }
  return name.empty() ? "_" : name;
}

/// "/results/" of "/results/theta_h".
std::string group_of(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

const std::vector<std::size_t>& shape_of(const Dataset& dataset) {
  return std::visit(
      [](const auto& array) -> const std::vector<std::size_t>& { return array.shape; },
      dataset.array);
}

bool has_named_axes(const Dataset& dataset) {
  return dataset.description.dims.size() == shape_of(dataset).size();
}

/// A dataset along one axis that is named like it: a coordinate variable of netCDF.
bool is_scale(const std::string& path, const Dataset& dataset) {
  const auto& dims = dataset.description.dims;
  return has_named_axes(dataset) && dims.size() == 1 &&
         group_of(path) + scale_name(dims.front()) == path;
}

class Scales {
 public:
  explicit Scales(const ResultContent& content) : content_(content) {
    for (const auto& [path, dataset] : content.datasets) {
      add_groups(path);
      if (!has_named_axes(dataset)) continue;
      for (std::size_t axis = 0; axis < shape_of(dataset).size(); ++axis)
        lengths_[scale_name(dataset.description.dims[axis])].insert(shape_of(dataset)[axis]);
    }
    for (const auto& [path, attributes] : content.group_attributes) add_groups(path + "/");
  }

  DimensionScales find() {
    for (const auto& [path, dataset] : content_.datasets) {
      if (!has_named_axes(dataset)) continue;
      for (std::size_t axis = 0; axis < shape_of(dataset).size(); ++axis)
        found_.of_dataset[path].push_back(scale(
            group_of(path), scale_name(dataset.description.dims[axis]), shape_of(dataset)[axis]));
    }
    return std::move(found_);
  }

 private:
  void add_groups(const std::string& path) {
    for (std::size_t end = path.find('/', 1); end != std::string::npos;
         end = path.find('/', end + 1))
      groups_.insert(path.substr(0, end));
  }

  std::string scale(const std::string& group, const std::string& name, std::size_t length) {
    const auto beside = content_.datasets.find(group + name);
    if (beside != content_.datasets.end() && is_scale(beside->first, beside->second) &&
        shape_of(beside->second).front() == length)
      return beside->first;
    // xarray takes no dataset that is named like an axis and is not its scale.
    const std::string own_name = beside == content_.datasets.end() ? name : name + "_axis";
    const std::string wanted = (lengths_.at(name).size() == 1 ? "/" : group) + own_name;
    std::string path = wanted;
    if (is_taken(path, length)) path = fmt::format("{}_{}", wanted, length);
    while (is_taken(path, length)) path += '_';
    found_.lengths[path] = length;
    return path;
  }

  bool is_taken(const std::string& path, std::size_t length) const {
    const auto same = found_.lengths.find(path);
    return content_.datasets.contains(path) || groups_.contains(path) ||
           (same != found_.lengths.end() && same->second != length);
  }

  const ResultContent& content_;
  std::set<std::string> groups_;
  std::map<std::string, std::set<std::size_t>> lengths_;
  DimensionScales found_;
};

}  // namespace

DimensionScales dimension_scales(const ResultContent& content) { return Scales(content).find(); }

std::string coordinates(const ResultContent& content, const std::string& path) {
  const std::string group = group_of(path);
  const auto& dims = content.datasets.at(path).description.dims;
  std::string names;
  for (auto other = content.datasets.lower_bound(group);
       other != content.datasets.end() && other->first.starts_with(group); ++other) {
    const Description& label = other->second.description;
    if (!label.labels_axis || other->first == path || group_of(other->first) != group ||
        std::ranges::find(dims, label.dims.front()) == dims.end())
      continue;
    names += (names.empty() ? "" : " ") + other->first.substr(group.size());
  }
  return names;
}

}  // namespace rankine::files
