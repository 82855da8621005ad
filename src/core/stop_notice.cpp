#include "core/stop_notice.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstring>

#include "core/terminal.hpp"

namespace rankine {

namespace {

struct Notice {
  std::array<char, 512> text{};  ///< with a zero at its end
  std::array<char, 4096> litter{};
};

/// The handler reads one while the other is written.
std::array<Notice, 2> notices;
std::atomic<const Notice*> current{nullptr};
const char* line_start = "";

template <std::size_t size>
void copy(std::string_view text, std::array<char, size>& target) {
  *std::ranges::copy(text.substr(0, size - 1), target.begin()).out = '\0';
}

void say(const char* text) {
  [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, text, std::strlen(text));
}

void tell_and_end(int signal_number) {
  if (const Notice* notice = current.load(); notice && notice->text[0] != '\0') {
    say(line_start);
    say(signal_number == SIGINT ? "stopped by SIGINT: " : "stopped by SIGTERM: ");
    say(notice->text.data());
    say("\n");
    if (notice->litter[0] != '\0') unlink(notice->litter.data());
  }
  std::signal(signal_number, SIG_DFL);
  std::raise(signal_number);
}

}  // namespace

void announce_stops() {
  line_start = Terminal::is_interactive() ? "\n" : "";
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction action {};
    if (sigaction(number, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
    action = {};
    action.sa_handler = tell_and_end;
    sigaction(number, &action, nullptr);
  }
}

void set_stop_notice(std::string_view text, const std::filesystem::path& litter) {
  Notice& next = current.load() == &notices[0] ? notices[1] : notices[0];
  copy(text, next.text);
  copy(litter.native().size() < next.litter.size() ? litter.native() : std::string_view(),
       next.litter);
  current = &next;
}

}  // namespace rankine
