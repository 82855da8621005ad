#include "gpeps/routes/factor.hpp"

#include <algorithm>

namespace rankine::gpeps {

void LoopsIgnored::join(const LoopsIgnored& other) {
  if (other.is_exact()) return;
  shortest = is_exact() ? other.shortest : std::min(shortest, other.shortest);
  count += other.count;
  exact_flops += other.exact_flops;
}

std::string Factor::name() const {
  const bool is_extended = extension && !extension->steps.empty();
  const std::string before = is_extended ? "clifford+" : "";
  switch (environment) {
    case Environment::mean_field:
      return before + "mean-field";
    case Environment::cluster:
      return before + "cluster";
    case Environment::light_cone:
      return before + "light-cone";
    default:
      return before + "state-vector";
  }
}

std::string joined_names(const std::vector<std::string>& names) {
  std::string out;
  for (auto name = names.begin(); name != names.end(); ++name)
    if (std::find(names.begin(), name, *name) == name) out += (out.empty() ? "" : "|") + *name;
  return out;
}

}  // namespace rankine::gpeps
