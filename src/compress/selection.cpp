#include "compress/selection.hpp"

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

std::vector<NamedShape> layer_weights(const models::ModelConfig& config,
                                      const models::CheckpointNames& names) {
  const std::int64_t width = config.width, hidden = config.hidden;
  const std::int64_t queries = config.heads * config.head_size;
  const std::int64_t keys = config.key_heads * config.head_size;
  std::vector<NamedShape> all;
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    const auto add = [&](const std::string& part, std::int64_t rows, std::int64_t columns,
                         std::int64_t input) {
      all.push_back({names.in_layer(layer, part), {rows, columns}, 4 * layer + input});
    };
    const bool is_joint = config.family == models::Family::gpt2;
    add(is_joint ? names.joint_attention + ".query" : names.query, queries, width, 0);
    add(is_joint ? names.joint_attention + ".key" : names.key, keys, width, 0);
    add(is_joint ? names.joint_attention + ".value" : names.value, keys, width, 0);
    add(names.attention_output, width, queries, 1);
    if (!is_joint) add(names.gate, hidden, width, 2);
    add(names.up, hidden, width, 2);
    add(names.down, width, hidden, 3);
  }
  return all;
}

std::vector<NamedShape> select_weights(const std::vector<NamedShape>& all,
                                       const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns)
    if (std::none_of(all.begin(), all.end(),
                     [&](const NamedShape& weight) { return matches(pattern, weight.name); }))
      throw InputError(
          fmt::format("the pattern \"{}\" in select.weights matches no weight (the layers have {} "
                      "of them, from "
                      "{} to {}). Correct it, or use \"*\" for all.",
                      pattern, all.size(), all.front().name, all.back().name));
  std::vector<NamedShape> selected;
  for (const NamedShape& weight : all)
    if (std::any_of(patterns.begin(), patterns.end(),
                    [&](const std::string& pattern) { return matches(pattern, weight.name); }))
      selected.push_back(weight);
  return selected;
}

}  // namespace rankine::compress
