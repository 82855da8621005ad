#include "compress/images/image_results.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include "core/text_format.hpp"
#include "models/evaluation/image_results.hpp"
#include "models/evaluation/results.hpp"

namespace rankine::compress {

namespace {

using files::ResultFile;
using models::ImageScores;
using models::write_count;
using models::write_scalar;

struct Moment {
  const char* name;     ///< in datasets
  const char* meaning;  ///< of the network that is scored
  const std::optional<ImageScores>& scores;
};

std::array<Moment, 4> moments_of(const ImageResult& result) {
  return {{{"before", "as it was read", result.before},
           {"compressed", "compressed, with the statistics its batch norms had", result.compressed},
           {"re_estimated", "compressed, with statistics of its own", result.re_estimated},
           {"after", "in the end", result.after}}};
}

/// What the last scores are to the first, on the same images.
void write_comparison(ResultFile& file, const ImageJob& job, const ImageResult& result) {
  if (!result.before || !result.after) return;
  const auto compared =
      models::compare(job.data.test.labels, result.before->classification.predictions,
                      result.after->classification.predictions);
  write_scalar(file, "/results/accuracy_difference", compared.difference,
               "accuracy after, less accuracy before");
  file.write("/results/accuracy_difference_interval",
             std::array{compared.interval.low, compared.interval.high}, {2},
             {"95 % interval of accuracy_difference on paired images (Agresti and Min)",
              "1",
              {"low and high"}});
}

void write_kernels(ResultFile& file, const ImageResult& result) {
  for (const KernelReport& kernel : result.kernels) {
    const std::string path = "/results/weights/" + kernel.name;
    file.set_attribute(path, "form", std::string(weights::name(kernel.form)));
    if (!kernel.ranks.empty())
      file.write(path + "/ranks", kernel.ranks, {kernel.ranks.size()},
                 {"ranks of the form, in its order", "1", {"ranks"}});
    file.write(path + "/shape", kernel.shape, {kernel.shape.size()},
               {"outputs, inputs, height and width of the kernel", "1", {"axes"}});
    write_count(file, path + "/parameters", kernel.numbers, "stored numbers");
    write_scalar(file, path + "/weighted_error", kernel.weighted_error,
                 "error of the kernel in the norm of method.weighting, relative");
    write_scalar(file, path + "/norm_loss", kernel.norm_loss,
                 "1 - norm of the new kernel / norm of the old one");
  }
}

void write_training(ResultFile& file, const ImageJob& job, const ImageResult& result) {
  if (result.training_losses.empty()) return;
  file.write("/results/training_loss", result.training_losses, {result.training_losses.size()},
             {"mean cross entropy of the images of each step", "nat", {"steps"}});
  std::vector<std::int64_t> epochs;
  std::vector<double> accuracies;
  for (const EpochScore& score : result.epochs) {
    epochs.push_back(score.epochs);
    accuracies.push_back(score.accuracy);
  }
  file.write("/results/epoch", epochs, {epochs.size()},
             {.long_name = "epochs of training that were over",
              .units = "1",
              .dims = {"epochs"},
              .labels_axis = true});
  file.write("/results/epoch_accuracy", accuracies, {accuracies.size()},
             {"accuracy on the test images after each of them", "1", {"epochs"}});
  const auto images = static_cast<double>(job.data.training.size() * job.options.train.epochs);
  write_scalar(file, "/timing/training_images_per_second", images / result.seconds.training,
               "images of training, scores between epochs included", "1/s");
}

/// Arrays over cuts, fractions and kernels, of which the last is all kernels together.
void write_cuts(ResultFile& file, const ImageJob& job, const ImageResult& result) {
  if (result.cuts.empty()) return;
  const auto& profile = job.options.sensitivity;
  std::vector<std::string> cuts, layers;
  for (const weights::KernelCut cut : profile.cuts)
    cuts.emplace_back(name_in(weights::kernel_cut_names, cut));
  for (const Kernel& kernel : job.kernels) layers.push_back(kernel.name);
  layers.emplace_back("all");
  const std::size_t of_point = layers.size();
  const std::size_t done = result.cuts.size() / (of_point * profile.rank_fractions.size());
  if (done == 0) return;
  cuts.resize(done);
  const std::vector<std::size_t> shape{done, profile.rank_fractions.size(), of_point};
  const std::vector<std::string> dims{"cuts", "fractions", "layers"};
  std::vector<double> accuracies, losses, norm_losses;
  std::vector<std::int64_t> ranks;
  for (std::size_t p = 0; p < shape[0] * shape[1] * shape[2]; ++p) {
    accuracies.push_back(result.cuts[p].accuracy);
    losses.push_back(result.cuts[p].loss);
    norm_losses.push_back(result.cuts[p].norm_loss);
    ranks.push_back(result.cuts[p].rank);
  }
  file.write(
      "/results/cuts/cut", cuts, {cuts.size()},
      {.long_name = "axes on either side", .units = "1", .dims = {"cuts"}, .labels_axis = true});
  file.write("/results/cuts/layer", layers, {of_point},
             {.long_name = "truncated layer; the last is all of them",
              .units = "1",
              .dims = {"layers"},
              .labels_axis = true});
  file.write("/results/cuts/fraction", profile.rank_fractions, {profile.rank_fractions.size()},
             {.long_name = "kept part of the rank of a cut",
              .units = "1",
              .dims = {"fractions"},
              .labels_axis = true});
  file.write("/results/cuts/accuracy", accuracies, shape,
             {"accuracy of the truncated network", "1", dims});
  file.write("/results/cuts/loss", losses, shape, {"mean cross entropy of it", "nat", dims});
  file.write(
      "/results/cuts/norm_loss", norm_losses, shape,
      {"1 - norm of the truncated kernel / norm of the kernel; for all the mean", "1", dims});
  file.write("/results/cuts/rank", ranks, shape, {"kept rank; 0 for all layers", "1", dims});
}

void write_times(ResultFile& file, const ImageResult& result) {
  const ImageTimes& seconds = result.seconds;
  const std::pair<const char*, double> times[] = {
      {"load", seconds.load},  {"moments", seconds.moments},       {"gradients", seconds.gradients},
      {"fit", seconds.fit},    {"statistics", seconds.statistics}, {"training", seconds.training},
      {"study", seconds.study}};
  for (const auto& [name, value] : times)
    write_scalar(file, fmt::format("/timing/{}_seconds", name), value,
                 "time of this stage on the slowest rank", "s");
  write_count(file, "/timing/peak_resident_bytes",
              static_cast<std::int64_t>(result.peak_bytes_largest_rank),
              "most memory that the largest rank had resident; 0 while running", "byte");
}

std::string text_of(const std::vector<std::int64_t>& numbers) {
  return fmt::format("{}", fmt::join(numbers, " x "));
}

std::string kernels_table(const ImageResult& result) {
  if (result.kernels.empty()) return "";
  std::size_t width = 6;
  for (const KernelReport& kernel : result.kernels) width = std::max(width, kernel.name.size());
  std::string table = fmt::format("{:<{}}  {:<17}  {:>8}  {:>9}  {:>10}  {:>9}\n", "kernel", width,
                                  "shape", "form", "ranks", "parameters", "error");
  for (const KernelReport& kernel : result.kernels)
    table += fmt::format("{:<{}}  {:<17}  {:>8}  {:>9}  {:>10}  {:9.3e}\n", kernel.name, width,
                         text_of(kernel.shape), weights::name(kernel.form), text_of(kernel.ranks),
                         kernel.numbers, kernel.weighted_error);
  return table;
}

std::string cuts_table(const ImageResult& result) {
  std::string table;
  for (const CutPoint& point : result.cuts)
    if (point.layer.empty())
      table += fmt::format(
          "{:<8} {:>5.2f} of the rank, all kernels: accuracy {:6.2f} %, norm loss {:.4f}\n",
          name_in(weights::kernel_cut_names, point.cut), point.fraction, 100 * point.accuracy,
          point.norm_loss);
  return table;
}

std::int64_t kernel_numbers(const ImageResult& result) {
  std::int64_t sum = 0;
  for (const KernelReport& kernel : result.kernels) sum += kernel.numbers;
  return sum;
}

}  // namespace

void write_results(ResultFile& file, const ImageJob& job, const ImageResult& result) {
  file.set_attribute("/results", "title", job.options.scoring.title);
  file.set_attribute("/results", "architecture", job.options.scoring.model.architecture);
  file.set_attribute("/results", "model",
                     std::filesystem::path(job.model.path).filename().string());
  file.set_attribute("/results", "method", method_line(job));
  for (const Moment& moment : moments_of(result)) {
    if (!moment.scores) continue;
    write_scalar(file, fmt::format("/results/accuracy_{}", moment.name),
                 moment.scores->classification.accuracy,
                 fmt::format("accuracy of the network {}", moment.meaning));
    write_scalar(file, fmt::format("/results/loss_{}", moment.name),
                 moment.scores->classification.loss,
                 fmt::format("mean cross entropy of the network {}", moment.meaning), "nat");
  }
  if (result.after)
    models::write_image_scores(file, *result.after, job.data.test, job.options.scoring);
  write_comparison(file, job, result);
  write_count(file, "/results/parameters_before", result.parameters_before,
              "numbers of the whole network as it was");
  if (result.parameters_after > 0)
    write_count(file, "/results/parameters_after", result.parameters_after,
                "numbers that store the whole network");
  write_count(file, "/results/kernel_parameters_before", job.kernel_parameters(),
              "numbers of the selected kernels as they were");
  if (!result.kernels.empty())
    write_count(file, "/results/kernel_parameters_after", kernel_numbers(result),
                "numbers that store the selected kernels, or would store factors of a cut");
  write_kernels(file, result);
  write_training(file, job, result);
  write_cuts(file, job, result);
  write_times(file, result);
}

std::string results_table(const ImageJob& job, const ImageResult& result) {
  std::string table = kernels_table(result) + cuts_table(result);
  table += fmt::format("{}\n", method_line(job));
  if (!result.kernels.empty())
    table += fmt::format(
        "numbers of the kernels     {} -> {} ({:.4f})\n", job.kernel_parameters(),
        kernel_numbers(result),
        static_cast<double>(kernel_numbers(result)) / static_cast<double>(job.kernel_parameters()));
  table += fmt::format("numbers of the network     {} -> {}\n", result.parameters_before,
                       result.parameters_after);
  for (const Moment& moment : moments_of(result))
    if (moment.scores)
      table += fmt::format("accuracy {:<17} {:.2f} %  ({})\n", moment.name,
                           100 * moment.scores->classification.accuracy, moment.meaning);
  if (result.after) table += models::scores_table(*result.after, job.options.scoring);
  return table;
}

}  // namespace rankine::compress
