// Where the time of a run went on each rank: gathered in its end, written, and told in a line.
#pragma once

#include <string>
#include <vector>

#include "core/profile.hpp"
#include "files/hdf5/result_file.hpp"
#include "parallel/communicator.hpp"

namespace rankine {

/// The stages of all ranks by their names, those that took most first.
class RunProfile {
 public:
  /// `of_ranks`: the stages of each rank; one that a rank does not have took no time there.
  explicit RunProfile(const std::vector<std::vector<StageProfile>>& of_ranks);

  /// To /timing/profile.
  void write(files::ResultFile& file) const;
  /// "time: svd 61 %, site products 20 %, wait 9 %; the busiest rank works 1.2 times the mean"
  std::string line() const;

 private:
  struct Stage {
    std::string name;
    std::vector<std::int64_t> calls;  ///< of each rank, as the others
    std::vector<double> seconds;
    std::vector<double> flops;
    std::vector<std::int64_t> bytes_sent;
    double all_seconds() const;
  };
  Stage& stage(const std::string& name);
  /// Time of the busiest rank without waiting over the mean of the ranks.
  double imbalance() const;

  std::size_t ranks_;
  std::vector<Stage> stages_;
};

/// The stages of each rank up to now on rank 0, nothing elsewhere. Collective.
std::vector<std::vector<StageProfile>> gather_profiles(const parallel::Communicator& world);

}  // namespace rankine
