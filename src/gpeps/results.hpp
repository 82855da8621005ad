// The result file and the table of rankine-simulate (docs/file_formats.md describes the file).
#pragma once

#include <string>
#include <vector>

#include "files/hdf5/result_file.hpp"
#include "gpeps/simulation.hpp"

namespace rankine::gpeps {

inline constexpr int result_format_version = 1;

/// Puts the results of the points done so far into `file`; points that are not done hold NaN
/// (bond_dimension -1).
void write_results(files::ResultFile& file, const Job& job, const std::vector<Point>& points,
                   const std::vector<PointResult>& results);

/// The last measured step of every point, as a table for the terminal.
std::string results_table(const Job& job, const std::vector<Point>& points,
                          const std::vector<PointResult>& results);

/// The one warning line of a run: which values leave loops out, and how much. Empty when none does.
std::string accuracy_warning(const MeasurementPlan& plan);

}  // namespace rankine::gpeps
