// rankine-compress: replaces the weights of a language model or an image network by forms with
// fewer numbers, from a deck to a result file and a checkpoint.
#include <fmt/format.h>

#include "compress/compression.hpp"
#include "compress/images/image_compression.hpp"
#include "compress/images/image_cost.hpp"
#include "compress/images/image_results.hpp"
#include "compress/job/adapter_plan.hpp"
#include "compress/job/cost.hpp"
#include "compress/job/forecast.hpp"
#include "compress/job/output_folders.hpp"
#include "compress/results.hpp"
#include "core/text_format.hpp"
#include "files/safetensors/layout.hpp"
#include "models/export/export.hpp"
#include "models/threads.hpp"
#include "parallel/agreement.hpp"
#include "parallel/node.hpp"
#include "program.hpp"
#include "threads.hpp"
#include "weights/rows/tensor_errors.hpp"

using namespace rankine;

namespace {

class LanguageCompression final : public PreparedJob {
 public:
  explicit LanguageCompression(const compress::CompressOptions& options)
      : options_(options), job_(compress::prepare_compression(options)) {}

 private:
  Plan plan(const run::Machine& machine) override {
    Plan plan{.summary = fmt::format("{} parameters, {}", job_.scoring.config.parameters(),
                                     counted(options_.scoring.parallel.teams, "team"))};
    memory_ = compress::plan_memory(job_, machine);
    plan.lines = {memory_.line(), compress::method_line(job_)};
    if (job_.is_outline)
      plan.warning = fmt::format("{} holds no weights: this can be checked, not run",
                                 options_.scoring.model.path);
    return plan;
  }
  void require_inputs() const override {
    if (job_.is_outline) files::read_layout(options_.scoring.model.path);
  }
  std::vector<std::string> found(const deck::DeckValues& values) const override {
    return compress::look_into_folders(job_, values);
  }
  std::vector<run::StageCost> cost(const run::Pace& pace) const override {
    return compress::cost(job_, pace);
  }
  void require() const override {
    if (!job_.is_outline) memory_.require();
  }
  int use_threads(const run::Machine& machine) const override {
    models::set_tensor_threads(machine.threads);
    return machine.threads;
  }

  void run(const parallel::Communicator& world, const run::RunControl& control) override {
    const auto save = [&](const compress::CompressionResult& known) {
      parallel::agree_on_failure(world, [&] {
        if (world.rank() != 0) return;
        result_ = known;
        control.save();
      });
    };
    result_ = compress::compress(job_, world, control, save);
  }

  std::string finished() const override {
    return result_.before || !result_.weights.empty() ? "the stages done so far" : "";
  }
  void write(files::ResultFile& file) const override {
    compress::write_results(file, job_, result_);
  }
  std::string table() const override { return compress::results_table(job_, result_); }

  const compress::CompressOptions& options_;
  compress::CompressionJob job_;
  compress::CompressionMemory memory_;
  compress::CompressionResult result_;
};

class ImageCompression final : public PreparedJob {
 public:
  explicit ImageCompression(const compress::CompressOptions& options)
      : job_(compress::prepare_image_job(options)) {}

 private:
  Plan plan(const run::Machine& machine) override {
    memory_ = compress::plan_memory(job_, machine);
    return {.summary = fmt::format("{} parameters, {}, {}", job_.model.plan.parameters(),
                                   counted(job_.data.training.size(), "training image"),
                                   counted(job_.data.test.size(), "test image")),
            .lines = {memory_.line(), compress::method_line(job_)}};
  }
  std::vector<std::string> found(const deck::DeckValues&) const override {
    return compress::look_into_folders(job_);
  }
  std::vector<run::StageCost> cost(const run::Pace& pace) const override {
    return compress::cost(job_, pace);
  }
  void require() const override { memory_.require(); }
  int use_threads(const run::Machine& machine) const override {
    models::set_image_threads(machine.threads);
    return machine.threads;
  }

  void run(const parallel::Communicator& world, const run::RunControl& control) override {
    const auto save = [&](const compress::ImageResult& known) {
      parallel::agree_on_failure(world, [&] {
        if (world.rank() != 0) return;
        result_ = known;
        control.save();
      });
    };
    result_ = compress::compress_images(job_, world, control, save);
  }

  std::string finished() const override {
    return result_.before || !result_.kernels.empty() ? "the stages done so far" : "";
  }
  void write(files::ResultFile& file) const override {
    compress::write_results(file, job_, result_);
  }
  std::string table() const override { return compress::results_table(job_, result_); }

  compress::ImageJob job_;
  models::ImageMemoryPlan memory_;
  compress::ImageResult result_;
};

class Compress final : public Program {
  const char* name() const override { return "rankine-compress"; }
  const char* purpose() const override {
    return "Compresses the weights of a language model or an image network and says what it costs.";
  }
  std::int64_t format_version() const override { return compress::result_format_version; }
  void declare_keywords(deck::Schema& schema) override {
    compress::declare_keywords(schema, options_);
  }
  const run::RunOptions& run_options() const override { return options_.scoring.run; }
  const std::string& output_file() const override { return options_.scoring.output_file; }
  std::map<std::string, std::string> library_versions() const override {
    return {{"torch", models::tensor_library_version()}};
  }

  std::unique_ptr<PreparedJob> read(const deck::Schema&) override {
    if (options_.scoring.model.is_image_network())
      return std::make_unique<ImageCompression>(options_);
    return std::make_unique<LanguageCompression>(options_);
  }

  std::vector<deck::Task> tasks() const override {
    return {{.option = "--materialize",
             .n_arguments = 2,
             .arguments = "FOLDER OUTPUT",
             .description = "Write the dense checkpoint of a compressed model in native form"}};
  }
  void run_task(const parallel::Communicator& world, const deck::CommandLine& command) override {
    models::set_tensor_threads(threads_of_rank(parallel::ranks_per_node(world)).threads);
    models::materialize(world, command.arguments[0], command.arguments[1]);
  }

  compress::CompressOptions options_;
};

}  // namespace

int main(int argc, char** argv) {
  weights::translate_tensor_errors();
  Compress program;
  return run_program(program, argc, argv);
}
