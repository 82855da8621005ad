// What rankine-evaluate leaves behind: the datasets of its result file, and a table for people.
#pragma once

#include <string>

#include "files/hdf5/result_file.hpp"
#include "models/evaluation/evaluation.hpp"

namespace rankine::models {

/// "12 of 20 windows, 3 of 90 items"; empty when none is scored.
std::string finished_pieces(const EvaluationJob& job, const EvaluationResult& result);

/// Of the result file of rankine-evaluate.
inline constexpr std::int64_t result_format_version = 1;

/// Without the folders of a path, also of one that ends in a slash.
std::string file_name(const std::string& path);
void write_scalar(files::ResultFile& file, const std::string& path, double value,
                  const std::string& long_name, const std::string& units = "1");
void write_count(files::ResultFile& file, const std::string& path, std::int64_t value,
                 const std::string& long_name, const std::string& units = "1");

/// The rules that a perplexity depends on, in one line.
std::string protocol_line(const EvaluationJob& job);

/// A line for each task with its accuracies.
std::string tasks_table(const TaskPlan& plan, const TaskScores& scores);

/// Sets /results and /timing; windows that are not done are NaN.
void write_results(files::ResultFile& file, const EvaluationJob& job,
                   const EvaluationResult& result);

/// The numbers and continuations, for the terminal.
std::string results_table(const EvaluationJob& job, const EvaluationResult& result);

}  // namespace rankine::models
