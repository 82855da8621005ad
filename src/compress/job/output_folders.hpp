// The folders that rankine-compress writes into: whether it can, and what they hold already.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compress/job/compression_job.hpp"

namespace rankine::compress {

/// For use before heavy work, without MPI. Throws InputError or ResourceError if export.directory
/// or checkpoint.directory could not be written to.
void check_output_folders(const CompressionJob& job);

/// What a run of the job would find in its folders, on one rank.
struct FolderReport {
  std::vector<std::string> lines;     ///< models that are replaced, stages that are there
  std::optional<std::string> damage;  ///< of the first stage that the run could not go on from

  /// Throws InputError for the damage.
  void require() const;
};
FolderReport look_into_folders(const CompressionJob& job);

}  // namespace rankine::compress
