#include "models/evaluation/finished_windows.hpp"

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

std::int64_t count_finished_windows(const fs::path& file) {
  const auto scores = files::read_doubles(file, "/restart/negative_log_likelihood").values;
  return std::ranges::count_if(scores, [](const double score) { return !std::isnan(score); });
}

EvaluationResult read_finished_windows(const fs::path& file, const EvaluationJob& job) {
  EvaluationResult result;
  WindowScores& scores = result.scores;
  scores.negative_log_likelihood =
      files::read_doubles(file, "/restart/negative_log_likelihood").values;
  scores.divergence = files::read_doubles(file, "/restart/divergence").values;
  scores.agreements = files::read_integers(file, "/restart/agreements").values;
  scores.seconds = files::read_doubles(file, "/timing/window_seconds").values;
  result.weights_checksum = read_checksum(file);
  const std::size_t windows = job.plan.windows.size();
  for (const std::size_t size : {scores.negative_log_likelihood.size(), scores.divergence.size(),
                                 scores.agreements.size(), scores.seconds.size()})
    if (size != windows) throw InputError("its windows are not those of the deck");
  return result;
}

}  // namespace rankine::models
