// Where the time of a run goes: stages with the seconds spent in them and in no stage within,
// floating-point operations, bytes sent. Cheap enough to be always on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rankine {

/// Begins the profile of the run on this thread; stages and counts of other threads, and those
/// before this, go nowhere. Time outside of all stages is that of the stage "other".
void start_profile();

/// Whether all operations of a stage that matter go through functions that count them.
enum class Flops { counted, unknown };

/// A stage that lasts as long as this lives. It pauses the stage around it; within the same stage
/// it is no new call.
class ProfileStage {
 public:
  /// `name` is a string literal; stages of one name are one stage.
  explicit ProfileStage(const char* name, Flops flops = Flops::unknown);
  ProfileStage(const ProfileStage&) = delete;
  ProfileStage& operator=(const ProfileStage&) = delete;
  ~ProfileStage();
};

// Of the stage under way.
void count_flops(double flops) noexcept;
void count_unknown_flops() noexcept;
void count_bytes_sent(std::size_t bytes) noexcept;

struct StageProfile {
  std::string name;
  std::int64_t calls = 0;
  double seconds = 0;
  double flops = 0;  ///< NaN where not all of them were counted
  std::int64_t bytes_sent = 0;
};
/// Every stage so far, also those under way; their seconds add up to the time since start_profile.
std::vector<StageProfile> profile();

}  // namespace rankine
