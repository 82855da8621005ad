#include "compress/job/selection.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>

#include "core/errors.hpp"

namespace rankine::compress {

namespace {

using models::Part;

/// The matrices of an MLP in one layer; those that are not selected are empty.
struct PartsOfMlp {
  std::optional<std::size_t> gate, up, down;

  std::optional<std::size_t>& at(Part part) {
    return part == Part::gate ? gate : part == Part::up ? up : down;
  }
};

bool is_of_mlp(Part part) { return part == Part::gate || part == Part::up || part == Part::down; }

bool matches(const std::string& pattern, const std::string& name) {
  return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

std::vector<NamedShape> shapes_of(const std::vector<models::LayerWeight>& weights) {
  std::vector<NamedShape> all;
  for (const models::LayerWeight& weight : weights)
    all.push_back({weight.name,
                   {weight.outputs, weight.inputs},
                   weight.activation,
                   weight.layer,
                   weight.part});
  return all;
}

bool has_name(const std::vector<NamedShape>& weights, const std::string& name) {
  return std::ranges::find(weights, name, &NamedShape::name) != weights.end();
}

/// What a message says of the weights that patterns do not match.
std::string text_of(const std::vector<NamedShape>& by_name) {
  std::vector<std::string> names;
  for (const NamedShape& weight : by_name) names.push_back(weight.name);
  return names.empty() ? "" : fmt::format("; beside them {}", fmt::join(names, " and "));
}

}  // namespace

std::vector<NamedShape> named_shapes(const models::ModelConfig& config,
                                     const models::CheckpointNames& names) {
  return shapes_of(models::layer_weights(config, names));
}

std::vector<NamedShape> vocabulary_shapes(const models::ModelConfig& config,
                                          const models::CheckpointNames& names) {
  return shapes_of(models::vocabulary_weights(config, names));
}

std::vector<NamedShape> select_weights(const std::vector<NamedShape>& all,
                                       const std::vector<std::string>& patterns,
                                       std::string_view keyword,
                                       const std::vector<NamedShape>& by_name) {
  for (const std::string& pattern : patterns)
    if (!has_name(by_name, pattern) &&
        std::none_of(all.begin(), all.end(),
                     [&](const NamedShape& weight) { return matches(pattern, weight.name); }))
      throw InputError(fmt::format(
          "the pattern \"{}\" in {} matches no weight (the layers have {} of them, from "
          "{} to {}{}). Correct it, or use \"*\" for all of the layers.",
          pattern, keyword, all.size(), all.front().name, all.back().name, text_of(by_name)));
  std::vector<NamedShape> selected;
  for (const NamedShape& weight : all)
    if (std::any_of(patterns.begin(), patterns.end(),
                    [&](const std::string& pattern) { return matches(pattern, weight.name); }))
      selected.push_back(weight);
  for (const NamedShape& weight : by_name)
    if (std::ranges::find(patterns, weight.name) != patterns.end()) selected.push_back(weight);
  return selected;
}

std::vector<SelectedMlp> whole_mlps(const models::ModelConfig& config,
                                    const std::vector<NamedShape>& selected) {
  constexpr const char* advice =
      "Select the matrices of whole MLPs, as by select.weights = [\"*.mlp.*\"].";
  std::map<std::int64_t, PartsOfMlp> layers;
  for (std::size_t w = 0; w < selected.size(); ++w) {
    if (!is_of_mlp(selected[w].part))
      throw InputError(fmt::format(
          "method.form = \"narrowed\" is asked for {} (it takes away hidden units of MLPs). {}",
          selected[w].name, advice));
    layers[selected[w].layer].at(selected[w].part) = w;
  }
  std::vector<SelectedMlp> mlps;
  for (const auto& [layer, parts] : layers) {
    if (!parts.up || !parts.down || (config.architecture->is_gated && !parts.gate))
      throw InputError(fmt::format(
          "select.weights leaves out a matrix of the MLP of layer {} (its hidden units go from all "
          "of them together). {}",
          layer, advice));
    mlps.push_back({parts.gate, *parts.up, *parts.down});
  }
  return mlps;
}

}  // namespace rankine::compress
