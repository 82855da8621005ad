// rankine-evaluate: scores a language model on a text and on tasks and continues prompts, or an
// image network on images, from a deck to a result file.
#include <fmt/format.h>

#include <algorithm>

#include "core/text_format.hpp"
#include "models/evaluation/cost.hpp"
#include "models/evaluation/evaluation.hpp"
#include "models/evaluation/finished_pieces.hpp"
#include "models/evaluation/forecast.hpp"
#include "models/evaluation/image_cost.hpp"
#include "models/evaluation/image_forecast.hpp"
#include "models/evaluation/image_results.hpp"
#include "models/evaluation/results.hpp"
#include "models/threads.hpp"
#include "program.hpp"
#include "weights/rows/tensor_errors.hpp"

using namespace rankine;

namespace {

class LanguageEvaluation final : public PreparedJob {
 public:
  explicit LanguageEvaluation(const models::EvaluateOptions& options)
      : options_(options), job_(models::prepare_evaluation(options)) {}

 private:
  Plan plan(const run::Machine& machine) override {
    memory_ = models::plan_memory(job_, machine);
    Plan plan{.summary = fmt::format("{} parameters, {}, {}, {}", job_.config.parameters(),
                                     counted(options_.parallel.teams, "team"),
                                     counted(std::ssize(job_.plan.windows), "window"),
                                     counted(std::ssize(job_.prompts), "prompt")),
              .lines = {memory_.line()}};
    if (!job_.plan.windows.empty()) plan.lines.push_back(models::protocol_line(job_));
    for (const models::Task& task : job_.tasks.tasks)
      plan.lines.push_back(fmt::format("task {}: {}", task.name,
                                       counted(static_cast<std::int64_t>(task.count), "item")));
    return plan;
  }
  std::vector<run::StageCost> cost(const run::Pace& pace) const override {
    return models::cost(job_, pace);
  }
  void require() const override { memory_.require(); }

  std::int64_t finished_in(const std::filesystem::path& file) const override {
    return job_.has_scores() ? models::count_finished_pieces(file, job_) : 0;
  }
  void take(const std::filesystem::path& file) override {
    result_ = models::read_finished_pieces(file, job_);
  }

  void run(const parallel::Communicator& world, const run::RunControl& control) override {
    const auto save = [&](const models::EvaluationResult& known) {
      result_ = known;
      control.save();
    };
    result_ =
        models::evaluate(job_, world,
                         {.known = result_.scores,
                          .known_tasks = result_.tasks,
                          .known_checksum = result_.weights_checksum,
                          .save = save,
                          .seconds_between = std::min(60.0, control.options.checkpoint_interval),
                          .between_windows = [&](const auto& team) { control.stop.check(team); }});
  }
  int use_threads(const run::Machine& machine) const override {
    models::set_tensor_threads(machine.threads);
    return machine.threads;
  }

  std::string finished() const override { return models::finished_pieces(job_, result_); }
  void write(files::ResultFile& file) const override { models::write_results(file, job_, result_); }
  std::string table() const override { return models::results_table(job_, result_); }

  const models::EvaluateOptions& options_;
  models::EvaluationJob job_;
  models::MemoryPlan memory_;
  models::EvaluationResult result_;
};

class ImageEvaluation final : public PreparedJob {
 public:
  explicit ImageEvaluation(const models::EvaluateOptions& options)
      : job_(models::prepare_image_evaluation(options)) {}

 private:
  Plan plan(const run::Machine& machine) override {
    memory_ = models::plan_memory(job_, machine);
    Plan plan{.summary = fmt::format("{} parameters, {}, {}", job_.model.plan.parameters(),
                                     counted(job_.data.test.size(), "test image"),
                                     counted(job_.model.plan.classes, "class", "classes")),
              .lines = {memory_.line()}};
    if (job_.data.validation.size() > 0)
      plan.lines.push_back(counted(job_.data.validation.size(), "validation image"));
    return plan;
  }
  std::vector<run::StageCost> cost(const run::Pace& pace) const override {
    return models::cost(job_, pace);
  }
  void require() const override { memory_.require(); }
  int use_threads(const run::Machine& machine) const override {
    models::set_image_threads(machine.threads);
    return machine.threads;
  }

  void run(const parallel::Communicator& world, const run::RunControl& control) override {
    result_ = models::evaluate_images(job_, world, [&](double) { control.stop.check(world); });
  }

  std::string finished() const override { return ""; }
  void write(files::ResultFile& file) const override { models::write_results(file, job_, result_); }
  std::string table() const override { return models::results_table(job_, result_); }

  models::ImageEvaluationJob job_;
  models::ImageMemoryPlan memory_;
  models::ImageEvaluationResult result_;
};

class Evaluate final : public Program {
  const char* name() const override { return "rankine-evaluate"; }
  const char* purpose() const override {
    return "Scores a language model on a text and on multiple choice, compares it with another, "
           "continues prompts; scores an image network on images.";
  }
  std::int64_t format_version() const override { return models::result_format_version; }
  void declare_keywords(deck::Schema& schema) override {
    models::declare_keywords(schema, options_);
  }
  const run::RunOptions& run_options() const override { return options_.run; }
  const std::string& output_file() const override { return options_.output_file; }
  std::map<std::string, std::string> library_versions() const override {
    return {{"torch", models::tensor_library_version()}};
  }

  std::unique_ptr<PreparedJob> read(const deck::Schema&) override {
    if (options_.model.is_image_network()) return std::make_unique<ImageEvaluation>(options_);
    return std::make_unique<LanguageEvaluation>(options_);
  }

  models::EvaluateOptions options_;
};

}  // namespace

int main(int argc, char** argv) {
  weights::translate_tensor_errors();
  Evaluate program;
  return run_program(program, argc, argv);
}
