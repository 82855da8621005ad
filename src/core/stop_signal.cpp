#include "core/stop_signal.hpp"

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

const char* name_of(int signal_number) {
  return signal_number == SIGINT ? "SIGINT" : signal_number == SIGUSR1 ? "SIGUSR1" : "SIGTERM";
}

volatile std::sig_atomic_t first_signal = 0;
bool are_words_said = false;

void tell_first(int signal_number) {
  if (!are_words_said) return;
  say(line_start);
  say("asked to stop by ");
  say(name_of(signal_number));
  say(": ending where the run can go on later; a second signal ends it at once\n");
}

void tell_and_end(int signal_number) {
  const Notice* notice = current.load();
  if (are_words_said && notice && notice->text[0] != '\0') {
    say(line_start);
    say("stopped by ");
    say(name_of(signal_number));
    say(": ");
    say(notice->text.data());
    say("\n");
  }
  if (notice && notice->litter[0] != '\0') unlink(notice->litter.data());
  std::signal(signal_number, SIG_DFL);
  std::raise(signal_number);
}

void hear(int signal_number) {
  if (first_signal != 0) return tell_and_end(signal_number);
  first_signal = signal_number;
  tell_first(signal_number);
}

}  // namespace

void catch_stop_signals(StopWords words) {
  are_words_said = words == StopWords::said;
  line_start = Terminal::is_interactive() ? "\n" : "";
  for (const int number : {SIGINT, SIGTERM, SIGUSR1}) {
    struct sigaction action {};
    if (sigaction(number, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
    action = {};
    action.sa_handler = hear;
    action.sa_flags = SA_RESTART;
    sigaction(number, &action, nullptr);
  }
}

int stop_signal() { return first_signal; }

void forget_stop_signal() { first_signal = 0; }

void set_stop_notice(std::string_view text, const std::filesystem::path& litter) {
  Notice& next = current.load() == &notices[0] ? notices[1] : notices[0];
  copy(text, next.text);
  copy(litter.native().size() < next.litter.size() ? litter.native() : std::string_view(),
       next.litter);
  current = &next;
}

}  // namespace rankine
