#include "compress/stages/centroid_study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "compress/experiments/centroid_changes.hpp"
#include "compress/job/stages.hpp"
#include "compress/stages/clustered_stage.hpp"
#include "compress/stages/scored_points.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"
#include "weights/forms/clustered.hpp"

namespace rankine::compress {

using torch::Tensor;

namespace {

/// A selected weight with its clusters.
struct ClusteredWeight {
  std::int64_t layer;
  std::uint64_t place;  ///< among the selected weights; tells its random numbers from others'
  Tensor centroids;     ///< shares its memory with the weight
  SharedValues original;
};

/// Stages with weights.
std::vector<models::Stage> layers_of(const models::Network& network) {
  std::vector<models::Stage> layers = network.stages();
  std::erase_if(layers, [](const models::Stage& stage) { return stage.slots.empty(); });
  return layers;
}

std::map<std::string, std::int64_t> layer_of_weight(const models::Network& network) {
  std::map<std::string, std::int64_t> numbers;
  std::int64_t layer = 0;
  for (const models::Stage& stage : layers_of(network)) {
    for (const models::Slot* slot : stage.slots) numbers[slot->name()] = layer;
    ++layer;
  }
  return numbers;
}

/// Entries of the whole matrix that have each value, outliers left out. Collective over the team.
std::vector<std::int64_t> count_members(const parallel::Communicator& team,
                                        const weights::Clustered& weight, std::int64_t clusters) {
  const Tensor codes = weight.own_codes();
  const Tensor counts = torch::bincount(codes.flatten(), {}, clusters);
  std::vector<std::int64_t> members(counts.data_ptr<std::int64_t>(),
                                    counts.data_ptr<std::int64_t>() + clusters);
  const std::int64_t first = weight.split().first(team.rank());
  const weights::Outliers& outliers = weight.outliers();
  for (std::int64_t i = 0; i < outliers.rows.size(0); ++i) {
    const std::int64_t row = outliers.rows[i].item<std::int64_t>() - first;
    if (row < 0 || row >= codes.size(0)) continue;
    const auto column = outliers.columns[i].item<std::int64_t>();
    --members[static_cast<std::size_t>(codes[row][column].item<std::int64_t>())];
  }
  team.sum(std::span(members));
  return members;
}

/// The experiments with one number of clusters.
class ClusterScan {
 public:
  ClusterScan(Workbench& bench, const ErrorNorm& norm, std::int64_t clusters, KeptPoints& points,
              std::int64_t total, ProgressLine& progress)
      : bench_(bench),
        options_(bench.options.experiments),
        clusters_(clusters),
        points_(points),
        total_(total),
        progress_(progress),
        n_layers_(std::ssize(layers_of(bench.model))),
        temporary_(bench.model) {
    const auto layers = layer_of_weight(bench.model);
    for (std::size_t w = 0; w < bench.names.size(); ++w)
      add(make_clustered_weight(bench, norm, w, clusters), w, layers.at(bench.names[w]));
  }

  void run() {
    measure({.experiment = "k-means"});
    for (const std::string& name : options_.names)
      for (const std::int64_t seed : options_.seeds)
        if (name == "layer-by-layer")
          replace_layer_by_layer(seed);
        else
          change_last_layers(name, seed);
  }

 private:
  void add(std::shared_ptr<weights::Clustered> weight, std::size_t w, std::int64_t layer) {
    const Tensor centroids = weight->parameters().front().values;
    const Tensor values = centroids.to(torch::kFloat64).contiguous();
    const std::int64_t clusters = values.size(0);
    weights_.push_back(
        {.layer = layer,
         .place = static_cast<std::uint64_t>(w),
         .centroids = centroids,
         .original = {.values = {values.data_ptr<double>(), values.data_ptr<double>() + clusters},
                      .members = count_members(bench_.teams.team(), *weight, clusters)}});
    temporary_.replace(bench_.names[w], std::move(weight));
  }

  void change_last_layers(const std::string& name, std::int64_t seed) {
    for (const std::int64_t wanted : options_.layers) {
      const std::int64_t layers = wanted > 0 ? wanted : n_layers_;
      change(centroid_change_of(name), seed, n_layers_ - layers, n_layers_);
      measure({.experiment = name, .seed = seed, .layers = layers});
      restore();
    }
  }

  void replace_layer_by_layer(std::int64_t seed) {
    for (const char* name : {"redrawn", "redrawn-rescaled"}) {
      std::int64_t first = n_layers_;
      while (first > 0) {
        const std::int64_t next = std::max<std::int64_t>(0, first - options_.layer_step);
        change(centroid_change_of(name), seed, next, first);
        first = next;
        measure({.experiment = std::string("layer-by-layer ") + name,
                 .seed = seed,
                 .layers = n_layers_ - first});
      }
      restore();
    }
  }

  /// Of the weights in layers [begin, end).
  void change(CentroidChange how, std::int64_t seed, std::int64_t begin, std::int64_t end) {
    for (const ClusteredWeight& weight : weights_) {
      if (weight.layer < begin || weight.layer >= end) continue;
      RandomStream random{static_cast<std::uint64_t>(seed), static_cast<std::uint64_t>(clusters_),
                          weight.place};
      set_values(weight, changed(how, weight.original, random));
    }
  }

  void restore() {
    for (const ClusteredWeight& weight : weights_) set_values(weight, weight.original.values);
  }

  static void set_values(const ClusteredWeight& weight, const std::vector<double>& values) {
    const torch::NoGradGuard no_gradients;
    Tensor centroids = weight.centroids;
    centroids.copy_(torch::tensor(values, torch::kFloat64));
  }

  void measure(ExperimentPoint point) {
    point.clusters = clusters_;
    point.score =
        points_.take([&] { return ScoredPoint{.score = bench_.score_changed(), .parameters = 0}; })
            .score;
    log().info("{}, {}, {}, seed {}: {} {:.4e}", point.experiment, counted(point.clusters, "value"),
               counted(point.layers, "layer"), point.seed, point.score.headline().name,
               point.score.headline().value);
    bench_.result.experiments.push_back(std::move(point));
    bench_.save();
    progress_.update(static_cast<double>(points_.next()) / static_cast<double>(total_),
                     fmt::format("experiments: point {} of {}", points_.next(), total_));
  }

  Workbench& bench_;
  const ExperimentOptions& options_;
  std::int64_t clusters_;
  KeptPoints& points_;
  std::int64_t total_;  ///< of points
  ProgressLine& progress_;
  std::int64_t n_layers_;
  models::TemporaryWeights temporary_;
  std::vector<ClusteredWeight> weights_;
};

/// Of all scans together.
std::int64_t count_points(const ExperimentOptions& options, std::int64_t layers) {
  std::int64_t of_a_seed = 0;
  for (const std::string& name : options.names)
    of_a_seed += name == "layer-by-layer"
                     ? 2 * ((layers + options.layer_step - 1) / options.layer_step)
                     : std::ssize(options.layers);
  return std::ssize(options.clusters) * (1 + of_a_seed * std::ssize(options.seeds));
}

}  // namespace

void run_cluster_experiments(Workbench& bench, const ErrorNorm& norm) {
  const ExperimentOptions& options = bench.options.experiments;
  ProgressLine progress(bench.progress());
  const std::int64_t total = count_points(options, std::ssize(layers_of(bench.model)));
  KeptPoints points(bench, experiments_stage(bench.job), static_cast<std::size_t>(total));
  bench.timed("experiments", bench.result.seconds.experiments, [&] {
    for (const std::int64_t clusters : options.clusters)
      ClusterScan(bench, norm, clusters, points, total, progress).run();
  });
}

}  // namespace rankine::compress
