#include "compress/experiments/sensitivity_profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace rankine::compress {

void SensitivityProfile::put(std::size_t place, const models::Score& score) {
  for (const models::Metric& metric : score.metrics) {
    auto own = std::ranges::find(metrics, metric.name, &Metric::name);
    if (own == metrics.end())
      own = metrics.insert(
          own, {metric.name, metric.meaning, std::vector<double>(parameters.size(), std::nan(""))});
    own->values[place] = metric.value;
  }
}

void write_profile(files::ResultFile& file, const SensitivityProfile& profile) {
  const std::string path = "/results/sensitivity/";
  const std::size_t groups = profile.groups.size(), bonds = profile.bond_dimensions.size();
  file.write(path + "groups", profile.groups, {groups},
             {"weights that alone have the form of the deck", "", {"groups"}});
  file.write(path + "grouped_by", profile.grouped_by, {groups},
             {"what the weights of a group have in common", "", {"groups"}});
  file.write(path + "bond_dimensions", profile.bond_dimensions, {bonds},
             {"bond dimension or rank of the weights of the group", "1", {"bond_dimensions"}});
  for (const SensitivityProfile::Metric& metric : profile.metrics)
    file.write(path + metric.name, metric.values, {groups, bonds},
               {metric.meaning, "1", {"groups", "bond_dimensions"}});
  file.write(path + "parameters", profile.parameters, {groups, bonds},
             {"numbers that store the weights of the group", "1", {"groups", "bond_dimensions"}});
  file.write(path + "parameters_before", profile.parameters_before, {groups},
             {"numbers of the weights of the group in the original", "1", {"groups"}});
}

std::string profile_table(const SensitivityProfile& profile) {
  std::size_t width = 5;
  for (const std::string& group : profile.groups) width = std::max(width, group.size());
  std::string table = fmt::format("{:<{}}", "group", width);
  for (const std::int64_t bond : profile.bond_dimensions) table += fmt::format("  {:>12}", bond);
  const SensitivityProfile::Metric& shown = profile.metrics.front();
  table += fmt::format("   {} at each bond dimension\n", shown.name);
  const std::size_t bonds = profile.bond_dimensions.size();
  for (std::size_t g = 0; g < profile.groups.size(); ++g) {
    table += fmt::format("{:<{}}", profile.groups[g], width);
    for (std::size_t b = 0; b < bonds; ++b)
      table += fmt::format("  {:12.6e}", shown.values[g * bonds + b]);
    table += "\n";
  }
  return table;
}

}  // namespace rankine::compress
