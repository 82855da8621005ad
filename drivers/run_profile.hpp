// Where the time of a run went on each rank: gathered in its end, written, and told in a line.
#pragma once

#include <string>
#include <vector>

#include "core/profile.hpp"
#include "core/timer.hpp"
#include "files/hdf5/result_file.hpp"
#include "parallel/communicator.hpp"

namespace rankine {

/// The stages of all ranks by their names, those that took most first.
class RunProfile {
 public:
  /// Of every rank up to now, on rank 0; empty elsewhere. Collective. `clock` runs since
  /// start_profile. A stage that a rank does not have took no time there.
  RunProfile(const parallel::Communicator& world, const Stopwatch& clock);

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
  void add(std::size_t rank, const StageProfile& stage);
  Stage& stage(const std::string& name);
  /// Time of the busiest rank without waiting over the mean of the ranks.
  double imbalance() const;

  std::vector<double> wall_seconds_;  ///< of each rank
  std::vector<Stage> stages_;
};

}  // namespace rankine
