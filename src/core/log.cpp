#include "core/log.hpp"

#include <fmt/chrono.h>
#include <spdlog/sinks/base_sink.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "core/terminal.hpp"

namespace rankine {

namespace {

std::string_view level_prefix(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::warn:
      return "warning: ";
    case spdlog::level::err:
    case spdlog::level::critical:
      return "error: ";
    case spdlog::level::debug:
    case spdlog::level::trace:
      return "debug: ";
    default:
      return "";
  }
}

/// With control characters as "\x1b": messages quote files, whose escape sequences would steer the
/// terminal.
std::string printable(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    const bool is_control = (code < 0x20 && c != '\n' && c != '\t') || code == 0x7f;
    shown += is_control ? fmt::format("\\x{:02x}", code) : std::string(1, c);
  }
  return shown;
}

/// Writes to the terminal and remembers what it wrote.
class RememberingSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void set_rank(int rank) {
    const std::lock_guard lock(mutex_);
    rank_prefix_ = rank == 0 ? std::string() : fmt::format("rank {}: ", rank);
  }

  std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::time_t time = spdlog::log_clock::to_time_t(message.time);
    lines_.push_back(fmt::format("{:%H:%M:%S} {}{}{}", fmt::localtime(time), rank_prefix_,
                                 level_prefix(message.level),
                                 printable({message.payload.data(), message.payload.size()})));
    terminal_.write_line(lines_.back());
  }
  void flush_() override {}  // The terminal flushes every line.

  Terminal& terminal_ = Terminal::instance();
  std::string rank_prefix_;
  std::vector<std::string> lines_;
};

const std::shared_ptr<RememberingSink>& sink() {
  static const auto the_sink = std::make_shared<RememberingSink>();
  return the_sink;
}

}  // namespace

spdlog::logger& log() {
  static spdlog::logger logger("rankine", sink());
  return logger;
}

void set_log_rank(int rank) {
  sink()->set_rank(rank);
  log().set_level(rank == 0 ? spdlog::level::info : spdlog::level::warn);
}

std::vector<std::string> log_lines() { return sink()->lines(); }

}  // namespace rankine
