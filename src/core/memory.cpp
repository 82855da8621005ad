#include "core/memory.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace rankine {

namespace {

namespace fs = std::filesystem;

/// The number after `key` (such as "VmRSS:") in a file of "key number" lines.
std::optional<std::uint64_t> number_after(const fs::path& file, std::string_view key) {
  std::ifstream in(file);
  std::string word;
  while (in >> word) {
    std::uint64_t number = 0;
    if (word == key && in >> number) return number;
    in.clear();
    in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return std::nullopt;
}

/// The number a file begins with; nothing if it is missing or says "max".
std::optional<std::uint64_t> only_number(const fs::path& file) {
  std::ifstream in(file);
  std::uint64_t number = 0;
  return in >> number ? std::optional(number) : std::nullopt;
}

std::uint64_t kibibytes_after(const fs::path& file, std::string_view key) {
  return number_after(file, key).value_or(0) * 1024;
}

struct ControlFiles {
  const char* limit;
  const char* usage;
};

/// What the limits of a control group and of the groups around it leave.
std::uint64_t left_by_groups(const fs::path& mount, fs::path group, const ControlFiles& files) {
  std::uint64_t left = std::numeric_limits<std::uint64_t>::max();
  for (;; group = group.parent_path()) {
    const fs::path folder = mount / group;
    const auto limit = only_number(folder / files.limit);
    if (const auto usage = only_number(folder / files.usage); limit && usage) {
      // Cached file pages count as usage but go when memory is asked for.
      const std::uint64_t cache = number_after(folder / "memory.stat", "inactive_file").value_or(0);
      const std::uint64_t used = *usage - std::min(*usage, cache);
      left = std::min(left, *limit - std::min(*limit, used));
    }
    if (group.empty()) return left;
  }
}

/// Both versions of Linux control groups: lines are "id:controllers:/path".
std::uint64_t left_by_control_groups(const fs::path& root) {
  std::uint64_t left = std::numeric_limits<std::uint64_t>::max();
  std::ifstream in(root / "proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path group = fs::path(line.substr(second + 1)).relative_path();
    if (controllers.empty()) {
      left = std::min(
          left, left_by_groups(root / "sys/fs/cgroup", group, {"memory.max", "memory.current"}));
    } else if (controllers.find("memory") != std::string::npos) {
      left = std::min(left, left_by_groups(root / "sys/fs/cgroup/memory", group,
                                           {"memory.limit_in_bytes", "memory.usage_in_bytes"}));
    }
  }
  return left;
}

}  // namespace

std::uint64_t resident_bytes() { return kibibytes_after("/proc/self/status", "VmRSS:"); }

std::uint64_t peak_resident_bytes() { return kibibytes_after("/proc/self/status", "VmHWM:"); }

std::uint64_t address_space_left() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t used = kibibytes_after("/proc/self/status", "VmSize:");
  return limit.rlim_cur - std::min<std::uint64_t>(used, limit.rlim_cur);
}

std::uint64_t available_node_bytes(const std::filesystem::path& root) {
  return std::min(kibibytes_after(root / "proc/meminfo", "MemAvailable:"),
                  left_by_control_groups(root));
}

}  // namespace rankine
