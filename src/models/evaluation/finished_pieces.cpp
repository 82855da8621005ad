#include "models/evaluation/finished_pieces.hpp"

#include <algorithm>
#include <cmath>
#include <variant>

#include "core/errors.hpp"
#include "files/hdf5/result_reader.hpp"
#include "files/safetensors/tensor_checksums.hpp"

namespace rankine::models {

namespace fs = std::filesystem;

namespace {

std::uint64_t read_checksum(const fs::path& file) {
  const files::Attribute value = files::read_attribute(file, "/restart", "weights_checksum");
  const auto* text = std::get_if<std::string>(&value);
  const auto checksum = text ? files::parse_checksum(*text) : std::nullopt;
  if (!checksum) throw InputError("its weights_checksum is no checksum");
  return *checksum;
}

}  // namespace

std::int64_t count_finished_pieces(const fs::path& file, const EvaluationJob& job) {
  const EvaluationResult found = read_finished_pieces(file, job);
  const auto windows = std::ranges::count_if(found.scores.negative_log_likelihood,
                                             [](const double score) { return !std::isnan(score); });
  return windows + static_cast<std::int64_t>(found.tasks.count_known(job.tasks));
}

EvaluationResult read_finished_pieces(const fs::path& file, const EvaluationJob& job) {
  EvaluationResult result;
  WindowScores& scores = result.scores;
  if (!job.plan.windows.empty())
    scores.seconds = files::read_doubles(file, "/timing/window_seconds").values;
  scores.negative_log_likelihood =
      files::read_doubles(file, "/restart/negative_log_likelihood").values;
  scores.divergence = files::read_doubles(file, "/restart/divergence").values;
  scores.agreements = files::read_integers(file, "/restart/agreements").values;
  result.tasks = TaskScores::unknown(job.tasks);
  if (!job.tasks.items.empty())
    result.tasks.log_likelihood =
        files::read_doubles(file, "/restart/choice_log_likelihood").values;
  result.weights_checksum = read_checksum(file);
  if (result.tasks.log_likelihood.size() != job.tasks.choices())
    throw InputError("its items are not those of the deck");
  const std::size_t windows = job.plan.windows.size();
  for (const std::size_t size : {scores.negative_log_likelihood.size(), scores.divergence.size(),
                                 scores.agreements.size(), scores.seconds.size()})
    if (size != windows) throw InputError("its windows are not those of the deck");
  return result;
}

}  // namespace rankine::models
