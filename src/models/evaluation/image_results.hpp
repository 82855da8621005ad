// What scoring an image network leaves behind: datasets of the result file, and a table for people.
#pragma once

#include <string>

#include "files/hdf5/result_file.hpp"
#include "models/evaluation/image_evaluation.hpp"

namespace rankine::models {

/// Accuracy, confusion matrix and the rest under /results; logits if `options` want them written.
void write_image_scores(files::ResultFile& file, const ImageScores& scores, const ImageSet& test,
                        const EvaluateOptions& options);

/// Sets /results and /timing.
void write_results(files::ResultFile& file, const ImageEvaluationJob& job,
                   const ImageEvaluationResult& result);

/// Where the threshold of an inspection comes from, in words.
std::string threshold_line(const EvaluateOptions& options);

/// The lines of a table that tell of accuracy, classes and missed defects.
std::string scores_table(const ImageScores& scores, const EvaluateOptions& options);
std::string results_table(const ImageEvaluationJob& job, const ImageEvaluationResult& result);

}  // namespace rankine::models
