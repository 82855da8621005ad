#include "run/stop_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <system_error>

#include "core/errors.hpp"
#include "core/stop_signal.hpp"

namespace rankine::run {

namespace {

/// Seconds between two looks for the stop file, which may lie on a slow file system.
constexpr double file_interval = 0.5;

/// Part of the time limit that is left for the last state, and the most that is.
constexpr double reserved_part = 0.05;
constexpr double most_reserved = 60;

}  // namespace

StopRequest::StopRequest(const parallel::Communicator& world, StopLimits limits)
    : world_(world), limits_(std::move(limits)), notice_(world) {
  std::error_code ignored;
  if (world_.rank() == 0 && !limits_.file.empty()) std::filesystem::remove(limits_.file, ignored);
}

std::string StopRequest::reason(const parallel::Communicator& ranks) {
  if (const Cause mine = noticed(); mine != Cause::none) notice_.say(static_cast<int>(mine));
  return text_of(static_cast<Cause>(ranks.max(notice_.heard())));
}

void StopRequest::check(const parallel::Communicator& ranks) {
  if (const std::string why = reason(ranks); !why.empty())
    throw known_to_all(ranks.size(), Stopped(why));
}

/// By this rank itself.
StopRequest::Cause StopRequest::noticed() {
  switch (stop_signal()) {
    case SIGTERM:
      return Cause::terminate;
    case SIGINT:
      return Cause::interrupt;
    case SIGUSR1:
      return Cause::user;
    default:
      break;
  }
  if (world_.rank() != 0) return Cause::none;
  return is_out_of_time() ? Cause::time : is_file_there() ? Cause::file : Cause::none;
}

bool StopRequest::is_out_of_time() {
  const double now = since_start_.seconds();
  longest_piece_ = std::max(longest_piece_, now - last_look_);
  last_look_ = now;
  const double reserve = std::min(most_reserved, reserved_part * limits_.seconds);
  return limits_.seconds > 0 && now + longest_piece_ + reserve >= limits_.seconds;
}

bool StopRequest::is_file_there() {
  const double now = since_start_.seconds();
  if (limits_.file.empty() || now - last_file_look_ < file_interval) return false;
  last_file_look_ = now;
  std::error_code ignored;
  if (!std::filesystem::exists(limits_.file, ignored)) return false;
  std::filesystem::remove(limits_.file, ignored);
  return true;
}

std::string StopRequest::text_of(Cause cause) const {
  switch (cause) {
    case Cause::none:
      return "";
    case Cause::terminate:
      return "SIGTERM";
    case Cause::interrupt:
      return "SIGINT";
    case Cause::user:
      return "SIGUSR1";
    case Cause::file:
      return fmt::format("the stop file {}", limits_.file.string());
    case Cause::time:
      return fmt::format("the limit of {:.0f} s of wall time", limits_.seconds);
  }
  return "";
}

}  // namespace rankine::run
