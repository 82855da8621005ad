// What ranks allocate while a model is compressed, against the forecast.
#include <gtest/gtest.h>
#include <malloc.h>

#include <fstream>

#include "compress/compression.hpp"
#include "compress/job/forecast.hpp"
#include "core/memory.hpp"
#include "tiny_calibration.hpp"

namespace rankine::compress {
namespace {

constexpr int rows = 128;
constexpr double megabyte = 1 << 20;

/// One layer whose last matrix, rows x columns, has a large moment of inputs.
TinyModel wide_layer(int columns) {
  return tiny_llama(
      {.vocabulary = 40, .width = rows, .layers = 1, .heads = 4, .key_heads = 4, .hidden = columns},
      3);
}

/// Token ids as NumPy stores them.
void write_tokens(const std::filesystem::path& path, const std::vector<std::int64_t>& ids) {
  std::string header =
      "{'descr': '<i8', 'fortran_order': False, 'shape': (" + std::to_string(ids.size()) + ",), }";
  while ((header.size() + 11) % 64 != 0) header += ' ';
  header += '\n';
  std::ofstream file(path, std::ios::binary);
  const auto length = static_cast<std::uint16_t>(header.size());
  file.write("\x93NUMPY\x01\x00", 8);
  file.write(reinterpret_cast<const char*>(&length), sizeof length);
  file << header;
  file.write(reinterpret_cast<const char*>(ids.data()),
             static_cast<std::streamsize>(ids.size() * sizeof ids[0]));
}

/// Two-sided, in float64, the one wide matrix alone.
CompressionJob job_of(const std::string& folder, weights::Form form, double outputs_too) {
  CompressOptions options;
  options.scoring.model.path = folder;
  options.scoring.model.precision = models::Precision::float64;
  options.select = {"*down_proj"};
  options.method.form = form;
  options.method.weighting = outputs_too > 0 ? Weighting::two_sided : Weighting::diagonal;
  options.method.sweeps = 1;
  options.method.clusters = 16;
  options.ranks.allocation = Allocation::uniform;
  options.ranks.parameter_ratio = 0.6;
  options.calibration.text = folder + "/tokens.npy";
  options.calibration.windows = options.calibration.gradient_windows = 1;
  options.calibration.window_length = options.calibration.gradient_window_length = 16;
  return prepare_compression(options);
}

/// By how many bytes this rank grew at most during `work`. Linux tells the peak since it was reset.
template <class Work>
double growth_during(Work&& work) {
  mallopt(M_MMAP_THRESHOLD, 1 << 17);  // what is freed goes back at once
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";
  const std::uint64_t before = resident_bytes();
  work();
  return static_cast<double>(peak_resident_bytes() - before);
}

/// Of each rank, the second time: libraries have their buffers then.
std::vector<double> growths(const CompressionJob& job) {
  double growth = 0;
  run::StopRequest stop(world(), {});
  const run::RunControl control{.options = job.options.scoring.run, .stop = stop, .values = {}};
  for (int time = 0; time < 2; ++time)
    growth =
        growth_during([&] { compress(job, world(), control, [](const CompressionResult&) {}); });
  return world().all_gather(std::span<const double>(&growth, 1));
}

double forecast_bytes(const CompressionJob& job) {
  const CompressionForecast forecast = plan_memory(job, {.ranks = world().size()}).forecast;
  return forecast.total() - forecast.program;
}

/// The folder of a model with a calibration text.
struct WideModel {
  explicit WideModel(int columns) : folder(wide_layer(columns)) {
    if (world().rank() == 0) write_tokens(folder.path() + "/tokens.npy", random_ids(64, 40, 1));
    world().barrier();
  }
  TinyFolder folder;
};

TEST(Memory, OfAnOperatorIsThatOfOneRankAndForetold) {
  constexpr int columns = 1536;
  const WideModel model(columns);
  const CompressionJob job = job_of(model.folder.path(), weights::Form::matrix_product, 1);
  const std::vector<double> grown = growths(job);
  const double moment = 8.0 * columns * columns;
  EXPECT_GT(grown[0], moment * (1 + 1.0 / world().size())) << "the owner has it whole";
  EXPECT_LT(grown[0], forecast_bytes(job));
  EXPECT_GT(grown[0], 0.3 * forecast_bytes(job)) << "the forecast is no excuse";
  for (std::size_t rank = 1; rank < grown.size(); ++rank)
    EXPECT_LT(grown[rank], 1.2 * moment / world().size() + 6 * megabyte) << "own rows";
}

// So wide that buffers of libraries, which differ between processors, are small beside a moment.
TEST(Memory, OfDiagonalsIsNotThatOfWholeMoments) {
  constexpr int columns = 6144;
  const WideModel model(columns);
  for (const auto form : {weights::Form::low_rank, weights::Form::clustered}) {
    const CompressionJob job = job_of(model.folder.path(), form, 0);
    for (const double grown : growths(job)) {
      EXPECT_LT(grown, forecast_bytes(job)) << name(form);
      EXPECT_LT(grown, 0.5 * 8.0 * columns * columns) << name(form);
    }
  }
}

}  // namespace
}  // namespace rankine::compress
