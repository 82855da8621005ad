// rankine-distill: replaces the weights of a network by forms with fewer numbers and trains its
// slices side by side against the network as it was, from a deck to a result file and a checkpoint.
#include <algorithm>

#include "distill/cost.hpp"
#include "distill/image_distillation.hpp"
#include "distill/language_distillation.hpp"
#include "models/threads.hpp"
#include "parallel/agreement.hpp"
#include "program.hpp"
#include "weights/rows/tensor_errors.hpp"

using namespace rankine;

namespace {

/// What differs between the two kinds of network.
struct Images {
  using Job = distill::ImageDistillJob;
  using Result = distill::ImageDistillResult;
  static constexpr auto prepare = distill::prepare_image_distillation;
  static constexpr auto distil = distill::distill_images;
  static constexpr auto set_threads = models::set_image_threads;
};

struct Language {
  using Job = distill::LanguageDistillJob;
  using Result = distill::LanguageDistillResult;
  static constexpr auto prepare = distill::prepare_language_distillation;
  static constexpr auto distil = distill::distill_language;
  static constexpr auto set_threads = models::set_tensor_threads;
};

template <class Kind>
class Distillation final : public PreparedJob {
 public:
  explicit Distillation(const distill::DistillOptions& options) : job_(Kind::prepare(options)) {}

 private:
  Plan plan(const run::Machine& machine) override {
    distill::use_ranks(job_, machine.ranks);
    job_.memory = distill::plan_memory(job_, machine);
    Plan plan{.summary = distill::summary(job_),
              .lines = {job_.memory.line(), job_.memory.border_line(), distill::method_line(job_)}};
    std::erase(plan.lines, "");
    return plan;
  }
  void require_inputs() const override { distill::require_weights(job_); }
  std::vector<std::string> found(const deck::DeckValues& values) const override {
    return distill::look_into_folders(job_, values);
  }
  std::vector<run::StageCost> cost(const run::Pace& pace) const override {
    return distill::cost(job_, pace);
  }
  void require() const override { job_.memory.require(); }
  int use_threads(const run::Machine& machine) const override {
    Kind::set_threads(machine.threads);
    return machine.threads;
  }

  void run(const parallel::Communicator& world, const run::RunControl& control) override {
    const auto save = [&](const typename Kind::Result& known) {
      parallel::agree_on_failure(world, [&] {
        if (world.rank() != 0) return;
        result_ = known;
        control.save();
      });
    };
    result_ = Kind::distil(job_, world, control, save);
  }

  std::string finished() const override { return distill::finished_stages(result_); }
  void write(files::ResultFile& file) const override {
    distill::write_results(file, job_, result_);
  }
  std::string table() const override { return distill::results_table(job_, result_); }

  typename Kind::Job job_;
  typename Kind::Result result_;
};

class Distill final : public Program {
  const char* name() const override { return "rankine-distill"; }
  const char* purpose() const override {
    return "Replaces the weights of a network slice by slice, each trained to do what the original "
           "did.";
  }
  std::int64_t format_version() const override { return distill::result_format_version; }
  void declare_keywords(deck::Schema& schema) override {
    distill::declare_keywords(schema, options_);
  }
  const run::RunOptions& run_options() const override { return options_.compression.scoring.run; }
  const std::string& output_file() const override {
    return options_.compression.scoring.output_file;
  }
  std::map<std::string, std::string> library_versions() const override {
    return {{"torch", models::tensor_library_version()}};
  }

  std::unique_ptr<PreparedJob> read(const deck::Schema&) override {
    if (options_.compression.scoring.model.is_image_network())
      return std::make_unique<Distillation<Images>>(options_);
    return std::make_unique<Distillation<Language>>(options_);
  }

  distill::DistillOptions options_;
};

}  // namespace

int main(int argc, char** argv) {
  weights::translate_tensor_errors();
  Distill program;
  return run_program(program, argc, argv);
}
