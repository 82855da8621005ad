#include "compress/images/image_compression.hpp"

#include "compress/images/cut_study.hpp"
#include "compress/images/image_bench.hpp"
#include "compress/images/kernel_stage.hpp"
#include "compress/images/network_stages.hpp"
#include "core/memory.hpp"

namespace rankine::compress {

namespace {

void compress_kernels(ImageBench& bench) {
  if (!bench.job.replaces_kernels()) return;
  if (bench.job.is_trained_from_scratch()) return replace_kernels(bench);
  const auto statistics = measure_statistics(bench);
  replace_kernels(bench);
  bench.save();
  bench.result.compressed = bench.score("with the old statistics of batch norms");
  shift_statistics(bench, statistics);
  bench.result.re_estimated = bench.score("with statistics of its own");
  bench.save();
}

}  // namespace

ImageResult compress_images(const ImageJob& job, const parallel::Communicator& world,
                            const run::RunControl& control, const SaveImageResult& save) {
  ImageBench bench(job, world, control, save);
  if (!job.is_trained_from_scratch()) bench.result.before = bench.score("before compression");
  bench.save();
  if (job.is_cut_study()) {
    study_cuts(bench);
  } else {
    compress_kernels(bench);
    train_network(bench);
    bench.result.after = bench.score("in the end");
    export_network(bench);
  }
  bench.result.parameters_after = bench.network.stored_numbers();
  bench.result.peak_bytes_largest_rank = world.max(peak_resident_bytes());
  return std::move(bench.result);
}

}  // namespace rankine::compress
