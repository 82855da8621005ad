// What distilling has to tell, the datasets of the result file of rankine-distill, and a table for
// people.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "compress/images/image_result.hpp"
#include "compress/job/compression_result.hpp"
#include "distill/image_job.hpp"
#include "distill/language_job.hpp"
#include "distill/slice_report.hpp"
#include "files/hdf5/result_file.hpp"

namespace rankine::distill {

/// Of the result file of rankine-distill.
inline constexpr std::int64_t result_format_version = 1;

/// Complete on rank 0. Of stages that did not run there is nothing.
struct ImageDistillResult {
  compress::ImageResult compression;         ///< first, last and what lies between in weights
  std::optional<models::ImageScores> fit;    ///< after the fit
  std::optional<models::ImageScores> local;  ///< after slices were put together
  std::optional<LocalReport> local_report;
  double fit_seconds = 0, global_seconds = 0;
};

struct LanguageDistillResult {
  compress::CompressionResult compression;
  std::optional<models::Score> fit;
  std::optional<models::Score> local;
  std::optional<LocalReport> local_report;
  double fit_seconds = 0, global_seconds = 0;
};

/// Called on all ranks when something more is known.
using SaveImageDistillation = std::function<void(const ImageDistillResult&)>;
using SaveLanguageDistillation = std::function<void(const LanguageDistillResult&)>;

/// What is finished; empty for nothing.
std::string finished_stages(const ImageDistillResult& result);
std::string finished_stages(const LanguageDistillResult& result);

/// Sets /results and /timing with what is known so far.
void write_results(files::ResultFile& file, const ImageDistillJob& job,
                   const ImageDistillResult& result);
void write_results(files::ResultFile& file, const LanguageDistillJob& job,
                   const LanguageDistillResult& result);

/// Scores of the stages, parameters and slices, for the terminal.
std::string results_table(const ImageDistillJob& job, const ImageDistillResult& result);
std::string results_table(const LanguageDistillJob& job, const LanguageDistillResult& result);

}  // namespace rankine::distill
