#include "gpeps/measurement/measurement_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/errors.hpp"
#include "gpeps/measurement/cluster_contraction.hpp"
#include "gpeps/measurement/reading_choice.hpp"
#include "gpeps/measurement/state_vector.hpp"
#include "gpeps/state/evolution.hpp"

namespace rankine::gpeps {

using circuit::Circuit;
using circuit::Demand;
using circuit::PauliString;

std::string Observable::dataset() const {
  std::string name;
  for (char c : text) {
    if (c != ' ')
      name += c;
    else if (!name.empty() && name.back() != '_')
      name += '_';
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  return name;
}

namespace {

std::vector<int> steps_to_measure(int n_steps, std::int64_t every) {
  std::vector<int> steps;
  for (std::int64_t step = every; step < n_steps; step += every)
    steps.push_back(static_cast<int>(step));
  steps.push_back(n_steps);
  return steps;
}

/// An error about an observable, "what (why). What to do.", in the parts that findings are made of.
deck::Problem problem_with(const std::string& text, const std::string& message) {
  const std::size_t end = std::min(message.find(". "), message.size() - 1);
  return {fmt::format("observable \"{}\" cannot be measured", text), message.substr(0, end),
          end + 2 < message.size() ? message.substr(end + 2) : "Leave it out or choose another."};
}

bool is_read_directly(const Factor& factor) { return !factor.extension; }

/// Everything a column reads, with the factor each value or site is read by.
template <class Work>
void for_each_factor(const MeasurementPlan& plan, int column, const Work& work) {
  for (int index = 0; index < std::ssize(plan.observables); ++index) {
    const Observable& observable = plan.observables[index];
    if (!observable.string) {
      for (const auto& [site, factor] : plan.sites[column].apart)
        work(Read{.observable = index, .column = column, .site = site}, factor);
      continue;
    }
    const auto& factors = observable.readings[column].factors;
    for (int k = 0; k < std::ssize(factors); ++k) work(Read{index, column, k}, factors[k]);
  }
}

/// Whether some site of the magnetization is read in the direct run.
bool reads_sites(const SitePlan& sites) {
  return sites.apart.size() + sites.shared.size() < sites.ignored.size();
}

/// Asks for the reads after step `step` and marks what they need of the sites.
void add_reads(const MeasurementPlan& plan, int column, int n_sites, std::vector<Read>& reads,
               std::vector<Demand>& measured) {
  measured.resize(n_sites, Demand::none);
  for_each_factor(plan, column, [&](const Read& read, const Factor& factor) {
    if (!is_read_directly(factor)) return;
    reads.push_back(read);
    add_demand(measured, factor.string);
  });
  if (plan.sites.empty() || !reads_sites(plan.sites[column])) return;
  const auto& [apart, shared, ignored] = plan.sites[column];
  for (int site = 0; site < n_sites; ++site)
    if (!apart.contains(site) && !shared.contains(site))
      measured[site] = std::max(measured[site], Demand::diagonal);
  for (int index = 0; index < std::ssize(plan.observables); ++index)
    if (!plan.observables[index].string) reads.push_back({.observable = index, .column = column});
}

Run direct_run(const MeasurementPlan& plan, const SimulateOptions& options, int n_sites,
               Circuit circuit) {
  Run run{std::move(circuit), {}};
  run.reads.resize(run.circuit.steps.size());
  std::vector<std::vector<Demand>> measured(run.circuit.steps.size());
  for (int column = 0; column < std::ssize(plan.measured_steps); ++column) {
    const int step = plan.measured_steps[column] - 1;
    add_reads(plan, column, n_sites, run.reads[step], measured[step]);
  }
  if (options.state.causal_cone) run.circuit = causal_cone(run.circuit, n_sites, measured);
  return run;
}

/// The sites ordered so that those with few gates come first, where gates are slow.
std::vector<int> fewest_gates_first(const Circuit& circuit, std::vector<int> sites) {
  std::map<int, int> count;
  for (const auto& step : circuit.steps)
    for (const auto& gate : step)
      for (int k = 0; k < gate.n_sites(); ++k) ++count[gate.sites[k]];
  std::ranges::stable_sort(sites, {}, [&](int site) { return count[site]; });
  return sites;
}

/// Fused between readings only: no gate may move to a step before what is read.
Circuit fused_between(const Circuit& circuit, const std::vector<std::vector<Read>>& reads,
                      int n_sites) {
  Circuit out, stretch;
  for (std::size_t s = 0; s < circuit.steps.size(); ++s) {
    stretch.steps.push_back(circuit.steps[s]);
    if (reads[s].empty() && s + 1 < circuit.steps.size()) continue;
    const Circuit short_one = fused(stretch, n_sites);
    out.steps.insert(out.steps.end(), short_one.steps.begin(), short_one.steps.end());
    stretch = {};
  }
  return out;
}

/// The run of a state vector, its circuit cut to what is read. Reads after an extension stand at
/// its end.
Run vector_run(const MeasurementPlan& plan, const VectorPlan& vector, int n_sites,
               const Circuit& circuit) {
  int last = 0;
  for (const Read& read : vector.reads) last = std::max(last, plan.measured_steps[read.column]);
  Run run{truncated(circuit, last), {}};
  for (const auto& step : vector.extension.steps) run.circuit.steps.push_back(step);
  run.reads.resize(run.circuit.steps.size());
  std::vector<std::vector<Demand>> measured(run.circuit.steps.size());
  for (const Read& read : vector.reads) {
    const int step = plan.measured_steps[read.column] + vector.extension.n_steps() - 1;
    run.reads[step].push_back(read);
    measured[step].resize(n_sites, Demand::none);
    add_demand(measured[step], plan.factor(read).string);
  }
  const Circuit cone = causal_cone(run.circuit, n_sites, measured);
  run.circuit = causal_cone(fused_between(cone, run.reads, n_sites), n_sites, measured);
  run.sites = fewest_gates_first(run.circuit, vector.sites);
  return run;
}

/// Puts values into common state vectors where that costs no more than vectors of their own.
class VectorGrouping {
 public:
  explicit VectorGrouping(std::vector<VectorPlan>& vectors) : vectors_(vectors) {}

  void add(const Read& read, const Factor& factor, std::int64_t most_sites) {
    const std::set<int> sites(factor.sites.begin(), factor.sites.end());
    if (!factor.extension->steps.empty()) {
      vectors_.push_back({factor.sites, *factor.extension, {read}});
      return;
    }
    std::set<int>& candidates = with_site_[factor.string.letters.begin()->first];
    for (int index : candidates)
      if (joins(vectors_[index], sites, most_sites)) {
        enter(index, sites, read);
        return;
      }
    vectors_.push_back({});
    enter(static_cast<int>(vectors_.size()) - 1, sites, read);
  }

 private:
  static bool joins(const VectorPlan& vector, std::set<int> sites, std::int64_t most_sites) {
    const double apart = std::exp2(vector.sites.size()) + std::exp2(sites.size());
    sites.insert(vector.sites.begin(), vector.sites.end());
    return std::cmp_less_equal(sites.size(), most_sites) && std::exp2(sites.size()) <= apart;
  }

  void enter(int index, std::set<int> sites, const Read& read) {
    VectorPlan& vector = vectors_[index];
    sites.insert(vector.sites.begin(), vector.sites.end());
    vector.sites.assign(sites.begin(), sites.end());
    vector.reads.push_back(read);
    for (int site : sites) with_site_[site].insert(index);
  }

  std::vector<VectorPlan>& vectors_;
  std::map<int, std::set<int>> with_site_;
};

/// A state vector belongs to one rank and has no bonds.
Forecast forecast_vector(const lattice::Graph& graph, const Run& run) {
  Forecast result;
  result.site_flops.assign(graph.n_sites(), 0);
  result.site_elements.assign(graph.n_sites(), 0);
  result.edge_dimensions.assign(graph.n_edges(), 1);
  const auto n = static_cast<int>(run.sites.size());
  for (std::size_t s = 0; s < run.circuit.steps.size(); ++s)
    result.step_flops.push_back(state_vector_flops(n, Circuit{{run.circuit.steps[s]}}));
  result.vector_elements = std::exp2(n);
  return result;
}

void plan_vectors(MeasurementPlan& plan, std::int64_t most_sites) {
  VectorGrouping grouping(plan.vectors);
  for (int column = static_cast<int>(plan.measured_steps.size()) - 1; column >= 0; --column)
    for_each_factor(plan, column, [&](const Read& read, const Factor& factor) {
      if (factor.environment == Environment::state_vector) grouping.add(read, factor, most_sites);
    });
}

void plan_strings(const ReadingChooser& chooser, MeasurementPlan& plan) {
  for (Observable& observable : plan.observables) {
    if (!observable.string) continue;
    observable.readings = chooser.choose(*observable.string, plan.measured_steps);
    for (const Reading& reading : observable.readings) {
      observable.routes.push_back(reading.name());
      observable.ignored.push_back(reading.ignored());
    }
  }
}

/// The worst site stands for the magnetization; an exact value of it takes that of every site.
LoopsIgnored worst_of(const std::vector<LoopsIgnored>& sites) {
  LoopsIgnored all, worst;
  for (const LoopsIgnored& site : sites) {
    worst.count = std::max(worst.count, site.count);
    all.join(site);
  }
  return {worst.count, all.shortest, all.exact_flops};
}

void plan_sites(const ReadingChooser& chooser, MeasurementPlan& plan) {
  const auto magnetization =
      std::ranges::find_if(plan.observables, [](const auto& o) { return !o.string.has_value(); });
  if (magnetization == plan.observables.end()) return;
  std::vector<std::map<int, int>> shared(plan.measured_steps.size());
  for (int index = 0; index < std::ssize(plan.observables); ++index)
    if (const auto& string = plan.observables[index].string;
        string && string->letters.size() == 1 && string->letters.begin()->second == 'Z')
      for (auto& sites : shared) sites[string->letters.begin()->first] = index;
  auto [factors, ignored] = chooser.choose_sites(plan.measured_steps, shared);
  for (std::size_t column = 0; column < shared.size(); ++column) {
    for (const auto& [site, index] : shared[column])
      ignored[column][site] = plan.observables[index].ignored[column];
    std::vector<std::string> names;
    SitePlan sites{std::move(factors[column]), shared[column], std::move(ignored[column])};
    if (reads_sites(sites)) names.push_back("mean-field");
    for (const auto& [site, factor] : sites.apart) names.push_back(factor.name());
    for (const auto& [site, index] : sites.shared)
      names.push_back(plan.observables[index].routes[column]);
    magnetization->routes.push_back(joined_names(names));
    magnetization->ignored.push_back(worst_of(sites.ignored));
    plan.sites.push_back(std::move(sites));
  }
}

}  // namespace

bool Observable::is_exact() const {
  return std::ranges::all_of(ignored, [](const auto& loops) { return loops.is_exact(); });
}

const Factor& MeasurementPlan::factor(const Read& read) const {
  if (read.site >= 0) return sites[read.column].apart.at(read.site);
  return observables[read.observable].readings[read.column].factors[read.factor];
}

MeasurementPlan plan_measurements(const deck::Schema& schema, const SimulateOptions& options,
                                  const lattice::Graph& graph,
                                  const circuit::ParametricCircuit& circuit) {
  const ReadingChooser chooser(options, graph, circuit);
  for (const auto& step : chooser.circuit().steps)
    for (const auto& gate : step)
      if (gate.n_sites() == 2) edge_of_gate(graph, gate);
  MeasurementPlan plan{
      .measured_steps = steps_to_measure(chooser.circuit().n_steps(), options.measure.every),
      .observables = {},
      .sites = {},
      .vectors = {}};
  deck::Findings findings(schema);
  for (const char* angle : {"theta_h", "theta_j"}) {
    if (circuit.uses(angle)) continue;
    findings.expect_unused(fmt::format("circuit.{}", angle),
                           fmt::format("no gate of {} has this angle", options.circuit.file),
                           fmt::format("Remove it, or write {} as an angle there.", angle));
  }
  for (const std::string& text : options.measure.observables) {
    Observable observable{text, {}, {}, {}, {}};
    try {
      if (text != "magnetization")
        observable.string = circuit::parse_pauli_string(text, graph.n_sites());
      for (const Observable& other : plan.observables)
        if (other.dataset() == observable.dataset())
          throw InputError(fmt::format("observable \"{}\" is listed twice. Remove one.", text));
    } catch (const InputError& error) {
      findings.add("measure.observables", problem_with(text, error.what()));
      continue;
    }
    plan.observables.push_back(std::move(observable));
  }
  findings.throw_if_any();
  plan_strings(chooser, plan);
  plan_sites(chooser, plan);
  plan_vectors(plan, options.measure.state_vector_sites);
  return plan;
}

std::vector<Run> plan_runs(const MeasurementPlan& plan, const SimulateOptions& options,
                           const lattice::Graph& graph, const Circuit& circuit) {
  const int n_sites = graph.n_sites();
  std::vector<Run> runs;
  Run direct = direct_run(plan, options, n_sites, separated(circuit));
  if (std::ranges::any_of(direct.reads, [](const auto& reads) { return !reads.empty(); }))
    runs.push_back(std::move(direct));
  for (int column = 0; column < std::ssize(plan.measured_steps); ++column)
    for_each_factor(plan, column, [&](const Read& read, const Factor& factor) {
      if (is_read_directly(factor) || factor.environment == Environment::state_vector) return;
      Run run{own_circuit(truncated(circuit, plan.measured_steps[column]), *factor.extension,
                          factor.string, options, n_sites),
              {}};
      run.reads.resize(run.circuit.steps.size());
      run.reads.back().push_back(read);
      runs.push_back(std::move(run));
    });
  for (const VectorPlan& vector : plan.vectors)
    runs.push_back(vector_run(plan, vector, n_sites, circuit));
  return runs;
}

Forecast forecast_run(const MeasurementPlan& plan, const lattice::Graph& graph, const Run& run,
                      std::int64_t max_bond_dimension) {
  if (!run.sites.empty()) return forecast_vector(graph, run);
  Forecast result = forecast(graph, run.circuit, max_bond_dimension);
  for (std::size_t s = 0; s < run.reads.size(); ++s)
    for (const Read& read : run.reads[s]) {
      if (read.site < 0 && !plan.observables[read.observable].string) continue;
      const Factor& factor = plan.factor(read);
      if (factor.cluster.closing_edges.empty() && factor.environment != Environment::light_cone)
        continue;
      const auto cost = contraction_cost(graph, factor.cluster, result.edge_dimensions);
      result.step_flops[s] += cost.flops;
      result.site_elements[factor.cluster.sites.front()] += cost.elements;
    }
  return result;
}

}  // namespace rankine::gpeps
