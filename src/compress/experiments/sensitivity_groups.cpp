#include "compress/experiments/sensitivity_groups.hpp"

#include <algorithm>
#include <cctype>
#include <functional>

namespace rankine::compress {

namespace {

/// model.layers.3.self_attn.q_proj: layer "3", kind "self_attn.q_proj".
struct NameParts {
  std::string layer;
  std::string kind;
};

NameParts parts_of(const std::string& name) {
  const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  std::size_t begin = 0;
  while (begin < name.size()) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    if (end > begin && end < name.size() &&
        std::all_of(name.begin() + static_cast<std::ptrdiff_t>(begin),
                    name.begin() + static_cast<std::ptrdiff_t>(end), is_digit))
      return {name.substr(begin, end - begin), name.substr(end + 1)};
    begin = end + 1;
  }
  return {"", name};
}

void add_groups(std::vector<WeightGroup>& groups, const std::vector<std::string>& names, GroupBy by,
                const std::function<std::string(const std::string&)>& group_of) {
  const auto first = static_cast<std::ptrdiff_t>(groups.size());
  for (std::size_t w = 0; w < names.size(); ++w) {
    const std::string name = group_of(names[w]);
    auto found = std::find_if(groups.begin() + first, groups.end(),
                              [&](const WeightGroup& group) { return group.name == name; });
    if (found == groups.end()) found = groups.insert(found, {by, name, {}});
    found->weights.push_back(w);
  }
}

}  // namespace

std::vector<WeightGroup> group_weights(const std::vector<std::string>& names,
                                       const std::vector<GroupBy>& by) {
  const auto is_wanted = [&](GroupBy what) { return std::ranges::count(by, what) > 0; };
  std::vector<WeightGroup> groups;
  if (is_wanted(GroupBy::layer))
    add_groups(groups, names, GroupBy::layer,
               [](const std::string& name) { return "layer " + parts_of(name).layer; });
  if (is_wanted(GroupBy::kind))
    add_groups(groups, names, GroupBy::kind,
               [](const std::string& name) { return parts_of(name).kind; });
  if (is_wanted(GroupBy::weight))
    add_groups(groups, names, GroupBy::weight, [](const std::string& name) { return name; });
  return groups;
}

}  // namespace rankine::compress
