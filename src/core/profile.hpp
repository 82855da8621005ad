// Where the time of a run goes: stages with the seconds spent in them and in no stage within,
// floating-point operations, bytes sent. Cheap enough to be always on.
#pragma once

#include <cstddef>
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

/// What is counted of a stage.
struct StageCounts {
  double flops = 0;
  bool are_flops_known = true;
  std::int64_t bytes_sent = 0;
};
/// Those of the stage under way; null on threads without a profile.
inline constinit thread_local StageCounts* stage_counts = nullptr;

inline void count_flops(double flops) {
  if (stage_counts) stage_counts->flops += flops;
}
inline void count_unknown_flops() {
  if (stage_counts) stage_counts->are_flops_known = false;
}
inline void count_bytes_sent(std::size_t bytes) {
  if (stage_counts) stage_counts->bytes_sent += static_cast<std::int64_t>(bytes);
}

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
