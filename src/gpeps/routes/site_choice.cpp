#include "gpeps/routes/site_choice.hpp"

#include <algorithm>

namespace rankine::gpeps {

using circuit::Circuit;
using circuit::Demand;
using circuit::PauliString;

namespace {

/// State vectors of the sites of one step together; about a minute.
constexpr double most_vector_flops = 4e12;
/// What is spent on exact values of some sites when the magnetization cannot be exact.
constexpr double flops_next_to_nothing = 1e10;
/// Up to this many sites a state vector costs less than to think about anything else.
constexpr std::size_t few_sites = 16;

PauliString z_of(int site) {
  PauliString string;
  string.letters[site] = 'Z';
  return string;
}

}  // namespace

struct SiteChooser::Column {
  struct Candidate {
    int site = 0;
    std::vector<int> cone;  ///< its sites, few enough for a state vector
    double flops = 0;       ///< about, of that vector
  };
  int n_steps = 0;
  std::vector<Candidate> vectors;
  std::vector<int> contractions;
  bool has_others = false;  ///< sites that cannot be read exactly
  std::map<int, Factor>* factors = nullptr;
  std::vector<LoopsIgnored>* ignored = nullptr;

  void set(int site, Factor factor) {
    (*ignored)[site] = {};
    factors->emplace(site, std::move(factor));
  }
};

SiteChooser::Sites SiteChooser::choose(const std::vector<int>& steps,
                                       const std::set<int>& known) const {
  const int n_sites = graph().n_sites();
  Sites sites{std::vector<std::map<int, Factor>>(steps.size()),
              std::vector(steps.size(), std::vector<LoopsIgnored>(n_sites))};
  std::vector<Column> columns(steps.size());
  for (std::size_t c = 0; c < steps.size(); ++c)
    columns[c] = {steps[c], {}, {}, false, &sites.factors[c], &sites.ignored[c]};
  for (int site = 0; site < n_sites; ++site) {
    const auto cones = measured_.cones.of({{{site}, Demand::diagonal}}, steps);
    for (std::size_t c = 0; c < steps.size(); ++c) {
      const Loops loops = count_loops(cones[c], measured_.shortest_loop);
      if (loops.independent == 0) continue;
      const double flops = vector_flops(cones[c], steps[c]);
      sites.ignored[c][site] = {loops.independent, loops.shortest, flops};
      if (graph().is_cell() || known.contains(site)) continue;
      if (std::cmp_less_equal(cones[c].places.size(), options().measure.state_vector_sites))
        columns[c].vectors.push_back({site, cones[c].sites(), flops});
      else if (options().state.causal_cone && loops.independent <= most_loops)
        columns[c].contractions.push_back(site);
      else
        columns[c].has_others = true;
    }
  }
  std::vector<bool> is_hopeless(n_sites, false);
  for (Column& column : columns) choose_column(column, is_hopeless);
  return sites;
}

/// A state vector for each candidate, or what contracts its loops for less.
std::vector<SiteChooser::SiteChoice> SiteChooser::vector_choices(const Column& column) const {
  std::set<int> all;
  double apart = 0;
  for (const auto& candidate : column.vectors) {
    all.insert(candidate.cone.begin(), candidate.cone.end());
    apart += candidate.flops;
  }
  const double one = vector_flops(all.size(), graph().n_edges(), column.n_steps);
  const bool may_be_whole = !column.has_others && column.contractions.empty();
  const bool together = may_be_whole &&
                        std::cmp_less_equal(all.size(), options().measure.state_vector_sites) &&
                        (one <= apart || apart > most_vector_flops);
  std::vector<SiteChoice> choices;
  for (const auto& candidate : column.vectors) {
    SiteChoice choice{candidate.site,
                      {.environment = Environment::state_vector,
                       .extension = std::make_shared<const Circuit>(),
                       .string = z_of(candidate.site),
                       .sites = candidate.cone},
                      candidate.flops};
    if (together) {
      choice.factor.sites.assign(all.begin(), all.end());
      choice.flops = one / static_cast<double>(column.vectors.size());
    } else if (!column.has_others && candidate.cone.size() > few_sites) {
      const Way other = way_along(measured_, {{}, z_of(candidate.site)}, column.n_steps);
      choice.flops = other.vector_flops;
      if (!other.is_truncated && other.contraction_flops < other.vector_flops)
        choice = {candidate.site, other.contraction, other.contraction_flops};
    }
    choices.push_back(std::move(choice));
  }
  std::ranges::stable_sort(choices, {}, &SiteChoice::flops);
  return choices;
}

/// The contraction of all loops for each candidate; nothing when that is not exact or not
/// affordable for all of them.
std::optional<std::vector<SiteChooser::SiteChoice>> SiteChooser::contraction_choices(
    Column& column, std::vector<bool>& is_hopeless) const {
  std::vector<SiteChoice> choices;
  double spent = 0;
  if (column.has_others) return std::nullopt;
  for (int site : column.contractions) {
    if (is_hopeless[site]) return std::nullopt;
    Way own = way_along(measured_, {{}, z_of(site)}, column.n_steps);
    LoopsIgnored& ignored = (*column.ignored)[site];
    ignored.exact_flops = std::min(ignored.exact_flops, own.least_flops);
    spent += own.is_truncated ? Way::never : own.contraction_flops;
    if (spent > options().measure.loop_flops_max) {
      is_hopeless[site] = column.n_steps <= measured_.cones.n_steps_alike();
      return std::nullopt;
    }
    choices.push_back({site, std::move(own.contraction), own.contraction_flops});
  }
  return choices;
}

/// Exact for every site where that is affordable. Otherwise the magnetization is not exact, and
/// only those sites are that cost nearly nothing.
void SiteChooser::choose_column(Column& column, std::vector<bool>& is_hopeless) const {
  const auto contractions = contraction_choices(column, is_hopeless);
  auto vectors = vector_choices(column);
  double all = 0;
  for (const SiteChoice& choice : vectors) all += choice.flops;
  const bool is_whole = contractions && all <= most_vector_flops;
  double spent = 0;
  for (SiteChoice& choice : vectors) {
    spent += choice.flops;
    if (is_whole || spent <= flops_next_to_nothing)
      column.set(choice.site, std::move(choice.factor));
  }
  if (!is_whole) return;
  for (const SiteChoice& choice : *contractions) column.set(choice.site, choice.factor);
}

}  // namespace rankine::gpeps
