#include "bench_images.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <span>
#include <type_traits>

#include "bench_file.hpp"
#include "bench_image_layers.hpp"
#include "bench_image_networks.hpp"
#include "bench_memory.hpp"
#include "core/text_format.hpp"
#include "files/hdf5/result_file.hpp"
#include "files/output_file.hpp"
#include "models/threads.hpp"

namespace rankine::bench {

void declare_keywords(deck::Schema& schema, ImageBenchOptions& options) {
  auto section = schema.section("bench", "What is measured.");
  section.keyword("channels", options.channels)
      .range(2, 4096)
      .allow_empty()
      .describe("Channels of 3x3 convolutions, of their inputs as of their outputs.");
  section.keyword("sizes", options.sizes)
      .range(1, 4096)
      .allow_empty()
      .describe("Height and width of the images of each of them, in pixels.");
  section.keyword("ranks", options.ranks)
      .range(0, 1)
      .allow_empty()
      .describe("Ranks of Tucker kernels, as fractions of the channels.");
  section.keyword("networks", options.networks)
      .allow_empty()
      .choices({"resnet-20", "t-cnn", "slice"})
      .describe("Whole networks, and a slice of one, to train and to evaluate.");
  section.keyword("batch_size", options.batch_size)
      .range(1, 65536)
      .describe("Images of a pass and of a step of training.");
  section.keyword("images", options.images).range(1, 1'000'000).describe("Images of an epoch.");
  section.keyword("repeats", options.repeats)
      .range(1, 1000)
      .describe("Repeats; the shortest time counts.");
  section.keyword("file", options.file)
      .describe("Result file, HDF5 or, with the ending .csv, CSV; empty for none.");
}

namespace {

struct Measured {
  ProductRates products;
  std::vector<ConvolutionTime> layers;
  std::vector<NetworkRates> networks;
};

std::int64_t rank_of(double fraction, std::int64_t channels) {
  return std::max<std::int64_t>(
      1, static_cast<std::int64_t>(fraction * static_cast<double>(channels) + 0.5));
}

double gflops(const ConvolutionTime& time, double passes, double seconds) {
  return 2e-9 * passes * time.multiply_adds / seconds;
}

void print(const ConvolutionTime& time, const ConvolutionTime& dense) {
  const auto& [channels, size, batch, rank] = time.layer;
  fmt::print(
      "{:>8} {:>7} {:>6} {:>8.0f} | {:>8.3f} {:>8.3f} {:>7.1f} {:>7.2f} | {:>8.3f} {:>8.3f} "
      "{:>7.1f} {:>7.2f}\n",
      channels, fmt::format("{0}x{0}", size), rank == 0 ? "dense" : std::to_string(rank),
      1e-6 * time.multiply_adds, 1e3 * time.forward, 1e3 * time.forward_bound,
      gflops(time, 1, time.forward), dense.forward / time.forward, 1e3 * time.both,
      1e3 * time.both_bound, gflops(time, 3, time.both), dense.both / time.both);
  std::fflush(stdout);
}

void bench_layers(const ImageBenchOptions& options, const parallel::Communicator& self, int threads,
                  Measured& measured) {
  const ProductRates rates = measured.products = product_rates(5 + 5 * options.repeats, threads);
  fmt::print(
      "{}, float32: matrix product {:.1f} GFlop/s, convolution of 256 channels {:.1f}\n\n3x3 "
      "convolutions on {} images: milliseconds, "
      "the bound by products and traffic, GFlop/s, times faster than dense\n{:>8} {:>7} {:>6} "
      "{:>8} "
      "| {:>8} {:>8} {:>7} {:>7} | {:>8} {:>8} {:>7} {:>7}\n",
      counted(threads, "thread"), rates.gemm, rates.convolution, options.batch_size, "channels",
      "size", "rank", "MMAC", "forward", "bound", "GFlop/s", "faster", "both", "bound", "GFlop/s",
      "faster");
  for (std::size_t l = 0; l < options.channels.size(); ++l) {
    ConvolutionCase layer{options.channels[l], options.sizes[l], options.batch_size};
    const auto time = [&] {
      measured.layers.push_back(time_convolution(self, layer, options.repeats, rates));
      return measured.layers.back();
    };
    const ConvolutionTime dense = time();
    print(dense, dense);
    for (const double fraction : options.ranks) {
      layer.rank = rank_of(fraction, layer.channels);
      print(time(), dense);
    }
  }
}

void bench_networks(const ImageBenchOptions& options, const parallel::Communicator& world,
                    Measured& measured) {
  const bool is_shown = world.rank() == 0;
  if (is_shown)
    fmt::print(
        "\nnetworks, images a second\n{:<10} {:>10} | {:>9} {:>9} {:>6} | {:>10} {:>9} {:>6}\n",
        "network", "parameters", "training", "libtorch", "ratio", "evaluation", "libtorch",
        "ratio");
  for (const std::string& name : options.networks) {
    const NetworkRates rates =
        time_network(world, {name, options.images, options.batch_size}, options.repeats);
    if (is_shown)
      fmt::print("{:<10} {:>10} | {:>9.1f} {:>9.1f} {:>6.2f} | {:>10.1f} {:>9.1f} {:>6.2f}\n",
                 rates.network, rates.parameters, rates.training, rates.bare_training,
                 rates.training / rates.bare_training, rates.evaluation, rates.bare_evaluation,
                 rates.evaluation / rates.bare_evaluation);
    measured.networks.push_back(rates);
  }
}

void write_csv(const std::string& path, const Measured& measured) {
  std::string csv =
      "channels,size,batch,rank,multiply_adds,forward,both,forward_bound,both_bound,copy_rate,"
      "gemm_gflops,convolution_gflops\n";
  for (const ConvolutionTime& time : measured.layers)
    csv += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{}\n", time.layer.channels,
                       time.layer.size, time.layer.batch, time.layer.rank, time.multiply_adds,
                       time.forward, time.both, time.forward_bound, time.both_bound, time.copy_rate,
                       measured.products.gemm, measured.products.convolution);
  csv += "network,parameters,training,bare_training,evaluation,bare_evaluation\n";
  for (const NetworkRates& rates : measured.networks)
    csv += fmt::format("{},{},{},{},{},{}\n", rates.network, rates.parameters, rates.training,
                       rates.bare_training, rates.evaluation, rates.bare_evaluation);
  files::write_atomically(path, std::as_bytes(std::span(csv)));
}

void write_hdf5(const std::string& path, const Measured& measured, int n_ranks, int threads) {
  files::ResultFile file(path, {.filetype = "rankine-bench-images",
                                .format_version = 1,
                                .program = "rankine-bench",
                                .n_ranks = n_ranks,
                                .threads = threads,
                                .library_versions = {{"torch", models::tensor_library_version()}}});
  const auto put = [&](const std::string& name, const auto& rows, const auto& value,
                       const char* what, const char* units) {
    std::vector<std::remove_cvref_t<decltype(value(rows[0]))>> values;
    for (const auto& row : rows) values.push_back(value(row));
    file.write("/results/" + name, values, {values.size()},
               {.long_name = what, .units = units, .dims = {"measurement"}});
  };
  const auto put_layer = [&](const char* name, auto member, const char* what, const char* units) {
    put(
        fmt::format("layers/{}", name), measured.layers,
        [&](const ConvolutionTime& time) { return time.*member; }, what, units);
  };
  const auto put_case = [&](const char* name, auto member, const char* what) {
    put(
        fmt::format("layers/{}", name), measured.layers,
        [&](const ConvolutionTime& time) { return time.layer.*member; }, what, "1");
  };
  const auto put_network = [&](const char* name, auto member, const char* what, const char* units) {
    put(
        fmt::format("networks/{}", name), measured.networks,
        [&](const NetworkRates& rates) { return rates.*member; }, what, units);
  };
  put_case("channels", &ConvolutionCase::channels, "channels of inputs and outputs");
  put_case("size", &ConvolutionCase::size, "height and width of the images");
  put_case("batch_size", &ConvolutionCase::batch, "images");
  put_case("rank", &ConvolutionCase::rank, "rank of both channel axes; 0 for dense");
  put_layer("multiply_adds", &ConvolutionTime::multiply_adds, "of a forward pass", "1");
  put_layer("forward_seconds", &ConvolutionTime::forward, "shortest forward pass", "s");
  put_layer("both_seconds", &ConvolutionTime::both, "shortest forward and backward pass", "s");
  put_layer("forward_bound", &ConvolutionTime::forward_bound, "bound of products and traffic", "s");
  put_layer("both_bound", &ConvolutionTime::both_bound, "bound of products and traffic", "s");
  put_layer("copy_rate", &ConvolutionTime::copy_rate, "bytes copied, read and written", "byte/s");
  const auto put_rate = [&](const char* name, double rate, const char* what) {
    file.write(fmt::format("/results/{}", name), std::vector{rate}, {1},
               {.long_name = what, .units = "GFlop/s", .dims = {"rate"}});
  };
  put_rate("gemm_gflops", measured.products.gemm, "matrix products");
  put_rate("convolution_gflops", measured.products.convolution, "a convolution of 256 channels");
  put_network("network", &NetworkRates::network, "network", "1");
  put_network("parameters", &NetworkRates::parameters, "trained numbers", "1");
  put_network("training", &NetworkRates::training, "images trained on", "1/s");
  put_network("bare_training", &NetworkRates::bare_training, "the same in bare libtorch", "1/s");
  put_network("evaluation", &NetworkRates::evaluation, "images evaluated", "1/s");
  put_network("bare_evaluation", &NetworkRates::bare_evaluation, "the same in bare libtorch",
              "1/s");
  file.complete();
}

}  // namespace

void check(const ImageBenchOptions& options) {
  if (!options.file.empty()) files::check_writable(options.file);
  if (options.channels.size() != options.sizes.size())
    throw InputError(
        fmt::format("bench.sizes has {} for {} (each layer has one size). "
                    "Give as many sizes as channels.",
                    counted(static_cast<std::int64_t>(options.sizes.size()), "value"),
                    counted(static_cast<std::int64_t>(options.channels.size()), "layer")));
  for (std::size_t l = 0; l < options.channels.size(); ++l) {
    const double numbers = static_cast<double>(options.batch_size * options.channels[l]) *
                           static_cast<double>(options.sizes[l] * options.sizes[l]);
    // Images, their result, both gradients, what is between, and a copy.
    require_memory(32 * numbers, fmt::format("a layer of {} channels", options.channels[l]),
                   "bench.batch_size");
  }
  // The features before and behind a slice, of all samples and of a rank's own.
  require_memory(4 * 4 * 32.0 * 32.0 * 16 * static_cast<double>(options.images),
                 counted(options.images, "image"), "bench.images");
}

void bench_images(const ImageBenchOptions& options, const parallel::Communicator& world,
                  int threads) {
  models::set_tensor_threads(threads);
  Measured measured;
  const parallel::Communicator self = world.split(world.rank(), 0);
  if (world.rank() == 0) bench_layers(options, self, threads, measured);
  bench_networks(options, world, measured);
  write_file(
      world, options.file, [&] { write_csv(options.file, measured); },
      [&] { write_hdf5(options.file, measured, world.size(), threads); });
}

}  // namespace rankine::bench
