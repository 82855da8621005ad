#include "models/evaluation/image_results.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numeric>
#include <span>

#include "core/text_format.hpp"
#include "models/evaluation/results.hpp"

namespace rankine::models {

namespace {

using files::ResultFile;

/// With the ends of its interval of 95 % beside it.
void write_with_interval(ResultFile& file, const std::string& name, double value,
                         const Interval& interval, const std::string& long_name,
                         const std::string& method) {
  write_scalar(file, "/results/" + name, value, long_name);
  file.write("/results/" + name + "_interval", std::array{interval.low, interval.high}, {2},
             {fmt::format("95 % interval of {} ({})", name, method), "1", {"low and high"}});
}

void write_rate(ResultFile& file, const std::string& name, const Rate& rate,
                const std::string& long_name) {
  write_with_interval(file, name, rate.value, rate.interval, long_name, "Clopper and Pearson");
}

void write_inspection(ResultFile& file, const Inspection& inspection,
                      const EvaluateOptions& options) {
  write_rate(file, "missed_defect_rate", inspection.missed_defects,
             "fraction of the defective parts that are passed");
  write_rate(file, "false_alarm_rate", inspection.false_alarms,
             "fraction of the good parts that are rejected");
  write_with_interval(file, "auc", inspection.auc.value, inspection.auc.interval,
                      "probability that a defective part is scored above a good one",
                      "Newcombe, from Hanley and McNeil's variance");
  write_scalar(file, "/results/threshold", inspection.threshold,
               "score from which on parts are rejected: " + threshold_line(options));
}

Rate accuracy_of(const Classification& classification) {
  std::int64_t right = 0;
  for (std::int64_t c = 0; c < classification.classes; ++c)
    right += classification.confusion[static_cast<std::size_t>(c * (classification.classes + 1))];
  return rate_of(right, std::ssize(classification.predictions));
}

void write_classes(ResultFile& file, const Classification& of, const ImageSet& test) {
  const auto classes = static_cast<std::size_t>(of.classes);
  const std::vector<std::size_t> images{of.predictions.size()};
  file.write("/results/confusion", of.confusion, {classes, classes},
             {"test images of each class that were taken for each class",
              "1",
              {"classes", "predicted classes"}});
  file.write("/results/recall", of.recall, {classes},
             {"fraction of the images of each class that are found; NaN without images",
              "1",
              {"classes"}});
  file.write("/results/labels", test.labels, images, {"class of each test image", "1", {"images"}});
  file.write("/results/predictions", of.predictions, images,
             {"class that each test image was taken for", "1", {"images"}});
}

std::string share(double value, const Interval& interval) {
  return fmt::format("{:.2f} % ({:.2f} to {:.2f})", 100 * value, 100 * interval.low,
                     100 * interval.high);
}

std::string row(const std::string& name, const std::string& text) {
  return fmt::format("{:<25} {}\n", name, text);
}

std::string inspection_table(const Inspection& inspection, const EvaluateOptions& options) {
  const auto of = [](const Rate& rate, const char* parts) {
    return fmt::format("{}, {} of {} {}", share(rate.value, rate.interval), rate.events,
                       rate.trials, parts);
  };
  return row("missed defects", of(inspection.missed_defects, "defective parts")) +
         row("false alarms", of(inspection.false_alarms, "good parts")) +
         row("area under the curve",
             fmt::format("{:.4f} ({:.4f} to {:.4f})", inspection.auc.value,
                         inspection.auc.interval.low, inspection.auc.interval.high)) +
         row("threshold", fmt::format("{:.4g}, {}", inspection.threshold, threshold_line(options)));
}

/// Of as many classes as fit on a screen.
std::string recall_table(const Classification& of) {
  constexpr std::int64_t most = 20;
  std::string table;
  for (std::int64_t c = 0; c < std::min(of.classes, most); ++c) {
    const auto begin = of.confusion.begin() + c * of.classes;
    const auto images = std::accumulate(begin, begin + of.classes, std::int64_t{0});
    table += row(fmt::format("recall of class {}", c),
                 images == 0
                     ? "no image"
                     : fmt::format("{:.2f} % of {}", 100 * of.recall[static_cast<std::size_t>(c)],
                                   counted(images, "image")));
  }
  return table;
}

}  // namespace

std::string threshold_line(const EvaluateOptions& options) {
  return options.data.has_validation()
             ? fmt::format("the largest that passes at most {} of the defective validation images",
                           options.images.target_escape)
             : std::string("even, since there are no validation images");
}

void write_image_scores(ResultFile& file, const ImageScores& scores, const ImageSet& test,
                        const EvaluateOptions& options) {
  const Classification& of = scores.classification;
  write_rate(file, "accuracy", accuracy_of(of), "fraction of the test images whose class is found");
  if (of.top5_accuracy)
    write_scalar(file, "/results/top5_accuracy", *of.top5_accuracy,
                 "fraction of the test images whose class is among the five likeliest");
  write_scalar(file, "/results/loss", of.loss, "mean cross entropy of the test images", "nat");
  write_classes(file, of, test);
  if (scores.inspection)
    write_inspection(file, *scores.inspection, options);
  else
    write_scalar(file, "/results/macro_miss_rate", of.macro_miss_rate,
                 "one minus the mean recall of the classes");
  if (options.images.write_logits)
    file.write("/results/logits", scores.logits,
               {of.predictions.size(), static_cast<std::size_t>(of.classes)},
               {"logits of the test images", "1", {"images", "classes"}});
}

void write_results(ResultFile& file, const ImageEvaluationJob& job,
                   const ImageEvaluationResult& result) {
  const EvaluateOptions& options = job.options;
  file.set_attribute("/results", "title", options.title);
  file.set_attribute("/results", "model", file_name(options.model.path));
  file.set_attribute("/results", "architecture", options.model.architecture);
  file.set_attribute("/results", "precision", std::string(name(options.model.precision)));
  file.set_attribute("/results", "parameters", job.model.plan.parameters());
  write_image_scores(file, result.scores, job.data.test, options);
  write_scalar(file, "/timing/load_seconds", result.load_seconds,
               "wall time of reading the weights", "s");
  write_scalar(file, "/timing/loop_seconds", result.loop_seconds, "wall time of scoring all images",
               "s");
  const auto peak = static_cast<std::int64_t>(result.peak_bytes_largest_rank);
  file.write("/timing/peak_resident_bytes", std::span<const std::int64_t>(&peak, 1), {},
             {"most memory the largest rank had resident", "byte", {}});
}

std::string scores_table(const ImageScores& scores, const EvaluateOptions& options) {
  const Classification& of = scores.classification;
  const Rate accuracy = accuracy_of(of);
  std::string table =
      row("accuracy", fmt::format("{}, {}", share(accuracy.value, accuracy.interval),
                                  counted(accuracy.trials, "image")));
  if (of.top5_accuracy)
    table += row("top-5 accuracy", fmt::format("{:.2f} %", 100 * *of.top5_accuracy));
  table += row("loss", fmt::format("{:.6f} nat", of.loss)) + recall_table(of);
  return table + (scores.inspection
                      ? inspection_table(*scores.inspection, options)
                      : row("macro miss rate", fmt::format("{:.2f} %", 100 * of.macro_miss_rate)));
}

std::string results_table(const ImageEvaluationJob& job, const ImageEvaluationResult& result) {
  const std::int64_t images = job.data.test.size() + job.data.validation.size();
  return scores_table(result.scores, job.options) +
         row("speed",
             fmt::format("{:.1f} images/s ({})", static_cast<double>(images) / result.loop_seconds,
                         format_duration(result.loop_seconds))) +
         row("peak memory",
             fmt::format("{} on the largest rank",
                         format_bytes(static_cast<double>(result.peak_bytes_largest_rank))));
}

}  // namespace rankine::models
