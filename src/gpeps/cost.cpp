#include "gpeps/cost.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "gpeps/job/bond_growth.hpp"
#include "lattice/partition.hpp"

namespace rankine::gpeps {

using run::Numbers;
using run::Pace;
using run::StageCost;

namespace {

constexpr double complex_flops = 8;  // of a multiplication and an addition

/// The stages of one point.
struct PointCost {
  StageCost evolution{.stage = "evolution"};
  StageCost waiting{.stage = "waiting for other ranks"};
  StageCost messages{.stage = "messages"};
  StageCost readings{.stage = "readings"};
  StageCost vectors{.stage = "state vectors"};

  double seconds() const {
    return evolution.seconds + waiting.seconds + messages.seconds + readings.seconds +
           vectors.seconds;
  }
};

/// Walks through one run of a tensor network.
class RunWalk {
 public:
  RunWalk(const Job& job, const Run& run, const Point& point, const Pace& pace,
          const std::vector<int>& owner, int ranks, PointCost& cost)
      : job_(job),
        run_(run),
        pace_(pace),
        owner_(owner),
        ranks_(ranks),
        numbers_(job.options.state.precision == "complex64" ? Numbers::complex64
                                                            : Numbers::complex128),
        bonds_(job.graph, point.max_bond_dimension),
        cost_(cost) {}

  void walk() {
    for (std::size_t s = 0; s < run_.circuit.steps.size(); ++s) {
      for (const auto& layer : circuit::layers(run_.circuit.steps[s], job_.graph.n_sites()))
        apply(layer);
      // The record of truncations is gathered and what is told agreed on.
      add_sums(5);
      read(run_.reads[s]);
    }
  }

 private:
  using Seconds = std::vector<double>;

  void add_sums(int count) {
    cost_.messages.seconds += count * pace_.sum(8, ranks_);
    cost_.messages.messages += ranks_ > 1 ? count : 0;
  }

  /// The gates of a layer run at the same time; all ranks wait for the slowest one.
  void apply(const circuit::Step& layer) {
    Seconds busy(static_cast<std::size_t>(ranks_), 0);
    Seconds sent(static_cast<std::size_t>(ranks_), 0);
    std::vector<int> truncations(static_cast<std::size_t>(ranks_), 0);
    double largest_message = 0;
    for (const circuit::Gate& gate : layer) {
      if (gate.n_sites() == 1) {
        busy[rank_of(gate.sites[0])] += seconds_of_site_gate(gate.sites[0]);
        continue;
      }
      const BondChange bond = bonds_.change(gate);
      if (bond.edge < 0) continue;
      for (const int site : gate.sites) busy[rank_of(site)] += seconds_of_end(gate, site, bond);
      const std::size_t a = rank_of(gate.sites[0]), b = rank_of(gate.sites[1]);
      const std::size_t decides = truncations[a] <= truncations[b] ? a : b;
      ++truncations[decides];
      busy[decides] += seconds_of_truncation(bond, gate.is_diagonal());
      if (a != b) {
        const double bytes = bytes_of_message(bond);
        largest_message = std::max(largest_message, bytes);
        for (const std::size_t rank : {a, b}) sent[rank] += bytes;
      }
    }
    for (const circuit::Gate& gate : layer)
      if (gate.n_sites() == 2)
        if (const BondChange bond = bonds_.change(gate); bond.edge >= 0) bonds_.apply(bond);
    finish(busy, sent, largest_message);
  }

  void finish(const Seconds& busy, const Seconds& sent, double largest_message) {
    const double slowest = std::ranges::max(busy);
    const double mean = std::accumulate(busy.begin(), busy.end(), 0.0) / ranks_;
    cost_.evolution.seconds += mean;
    cost_.waiting.seconds += slowest - mean;
    add_sums(1);
    const double bytes = std::ranges::max(sent);
    if (bytes == 0) return;
    cost_.messages.bytes += bytes;
    cost_.messages.messages += 2 * bytes / std::max(largest_message, 1.0);
    // There, the truncation, and back.
    cost_.messages.seconds += 2 * pace_.message(0, ranks_) + pace_.message(bytes, ranks_);
  }

  std::size_t rank_of(int site) const { return static_cast<std::size_t>(owner_[site]); }

  double seconds_of_site_gate(int site) {
    const double elements = bonds_.elements(site);
    cost_.evolution.flops += 2 * complex_flops * elements;
    return std::max(pace_.product(2 * complex_flops * elements, 16, numbers_),
                    pace_.memory(2 * run::bytes_of(numbers_) * elements)) +
           pace_.bond_updates(0.1);
  }

  /// The factor of the site towards the bond, and its tensor once the bond is truncated.
  double seconds_of_end(const circuit::Gate& gate, int site, const BondChange& bond) {
    const double elements = bonds_.elements(site);
    const bool is_gram = gate.is_diagonal() && job_.options.state.route != "qr";
    // A Gram matrix of each physical value by half, or QR of the site times the gate.
    const double of_factor = is_gram
                                 ? complex_flops / 2 * elements * bond.before
                                 : 2 * complex_flops * elements * bond.before * bond.terms * bond.terms;
    const double of_values = gate.is_diagonal() ? 1 : 2;
    const double of_site = complex_flops * elements * bond.after * of_values;
    const double grown = elements * bond.after / bond.before;
    cost_.evolution.flops += of_factor + of_site;
    const double products = pace_.product(of_factor, bond.before, numbers_) +
                            pace_.product(of_site, std::min(bond.before, bond.after), numbers_);
    const double passes = pace_.memory(run::bytes_of(numbers_) * (2 * elements + 2 * grown));
    return std::max(products, passes) + pace_.bond_updates(0.25);
  }

  double seconds_of_truncation(const BondChange& bond, bool is_diagonal) {
    const double columns = bond.before * bond.terms,
                 n = is_diagonal ? std::min(2 * bond.before, columns) : columns;
    const double flops = complex_flops * (n * n * columns + 2 * n * columns * bond.after);
    cost_.evolution.flops += flops + 32 * n * n * n;
    return pace_.product(flops, n, numbers_) + pace_.svd(n, numbers_) + pace_.bond_updates(0.5);
  }

  double bytes_of_message(const BondChange& bond) const {
    const double columns = bond.before * bond.terms;
    return run::bytes_of(numbers_) * columns * std::max(columns, bond.after);
  }

  /// What is read off after a step: one site each, contractions at the rank of their first site.
  void read(const std::vector<Read>& reads) {
    if (reads.empty()) return;
    Seconds busy(static_cast<std::size_t>(ranks_), 0);
    for (int site = 0; site < job_.graph.n_sites(); ++site)
      busy[rank_of(site)] +=
          pace_.memory(4 * run::bytes_of(numbers_) * bonds_.elements(site)) + pace_.bond_updates(0.5);
    for (const Read& read : reads) {
      const ReadingCost taken =
          job_.plan.planned(read).reading->cost(job_.graph, bonds_.dimensions());
      busy[rank_of(taken.site)] += pace_.product(
          taken.flops, static_cast<double>(std::ranges::max(bonds_.dimensions())), numbers_);
      cost_.readings.flops += taken.flops;
    }
    cost_.readings.seconds += std::ranges::max(busy) + 4 * pace_.sum(8.0 * job_.graph.n_sites(), ranks_);
  }

  const Job& job_;
  const Run& run_;
  const Pace& pace_;
  const std::vector<int>& owner_;
  int ranks_;
  Numbers numbers_;
  BondGrowth bonds_;
  PointCost& cost_;
};

/// Of a state vector, whose forecast counts 40 flops for an amplitude and gate.
double vector_seconds(double flops, const Job& job, const Pace& pace) {
  return pace.amplitudes(flops / 40, job.options.state.precision == "complex64"
                                         ? Numbers::complex64
                                         : Numbers::complex128);
}

PointCost cost_of_point(const Job& job, const Point& point, const Pace& pace, int ranks) {
  const auto runs = plan_runs(job.plan, job.options, job.graph, job.circuit.bind(point.parameters));
  Forecast total;
  std::vector<double> vectors;
  PointCost cost;
  for (const Run& run : runs) {
    const Forecast here = forecast_run(job.plan, job.graph, run, point.max_bond_dimension);
    merge(total, here);
    if (!run.is_vector()) continue;
    cost.vectors.flops += total_flops(here);
    vectors.push_back(vector_seconds(total_flops(here), job, pace));
  }
  const std::vector<int> owner = lattice::partition(job.graph, ranks, total.site_flops);
  for (const Run& run : runs)
    if (!run.is_vector()) RunWalk(job, run, point, pace, owner, ranks, cost).walk();
  if (!vectors.empty()) cost.vectors.seconds = run::dealt(std::move(vectors), ranks);
  return cost;
}

void add(PointCost& sum, const PointCost& point) {
  sum.evolution += point.evolution;
  sum.waiting += point.waiting;
  sum.messages += point.messages;
  sum.readings += point.readings;
  sum.vectors += point.vectors;
}

/// As run_sweep deals them: every `teams`-th point to a team, in rounds that end together.
PointCost cost_of_points(const Job& job, const Pace& pace) {
  const int teams = static_cast<int>(job.options.parallel.teams);
  const int ranks = std::max(1, pace.where().ranks / teams);
  const std::vector<Point> points = sweep_points(job.options);
  std::map<std::int64_t, PointCost> known;
  PointCost sum;
  for (std::size_t first = 0; first < points.size(); first += static_cast<std::size_t>(teams)) {
    const PointCost* longest = nullptr;
    for (std::size_t p = first;
         p < std::min(points.size(), first + static_cast<std::size_t>(teams)); ++p) {
      const std::int64_t bond_dimension = points[p].max_bond_dimension;
      if (!known.contains(bond_dimension))
        known[bond_dimension] = cost_of_point(
            job, {parameters_at(job.options, generic_angle), bond_dimension}, pace, ranks);
      const PointCost& here = known.at(bond_dimension);
      if (!longest || here.seconds() > longest->seconds()) longest = &here;
    }
    add(sum, *longest);
  }
  return sum;
}

/// Below bond dimension 128 a rank computes with one thread unless the user says otherwise.
Pace pace_of_bonds(const Job& job, const Pace& pace) {
  const std::int64_t largest = std::ranges::max(job.options.state.max_bond_dimension);
  const bool is_small = !pace.where().are_threads_asked && largest < 128;
  return is_small ? pace.with_threads(1) : pace;
}

}  // namespace

std::vector<StageCost> cost(const Job& job, const Pace& pace) {
  const PointCost points = cost_of_points(job, pace_of_bonds(job, pace));
  std::vector<StageCost> stages{{.stage = "start", .seconds = pace.start(false)},
                                points.evolution,
                                points.waiting,
                                points.messages,
                                points.readings,
                                points.vectors};
  std::erase_if(stages, [](const StageCost& stage) { return stage.seconds == 0; });
  return stages;
}

}  // namespace rankine::gpeps
