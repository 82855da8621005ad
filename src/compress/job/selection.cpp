#include "compress/job/selection.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "core/errors.hpp"

namespace rankine::compress {

namespace {

bool matches(const std::string& pattern, const std::string& name) {
  return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

}  // namespace

std::vector<NamedShape> named_shapes(const models::ModelConfig& config,
                                     const models::CheckpointNames& names) {
  std::vector<NamedShape> all;
  for (const models::LayerWeight& weight : models::layer_weights(config, names))
    all.push_back({weight.name, {weight.outputs, weight.inputs}, weight.activation});
  return all;
}

std::vector<NamedShape> select_weights(const std::vector<NamedShape>& all,
                                       const std::vector<std::string>& patterns,
                                       std::string_view keyword) {
  for (const std::string& pattern : patterns)
    if (std::none_of(all.begin(), all.end(),
                     [&](const NamedShape& weight) { return matches(pattern, weight.name); }))
      throw InputError(fmt::format(
          "the pattern \"{}\" in {} matches no weight (the layers have {} of them, from "
          "{} to {}). Correct it, or use \"*\" for all.",
          pattern, keyword, all.size(), all.front().name, all.back().name));
  std::vector<NamedShape> selected;
  for (const NamedShape& weight : all)
    if (std::any_of(patterns.begin(), patterns.end(),
                    [&](const std::string& pattern) { return matches(pattern, weight.name); }))
      selected.push_back(weight);
  return selected;
}

}  // namespace rankine::compress
