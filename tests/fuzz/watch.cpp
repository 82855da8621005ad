#include "watch.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>

// Of the sanitizers' run time, where that is linked.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*)());

namespace rankine::fuzz {

namespace {

// What a signal handler needs, in plain memory.
const char* running_input = nullptr;
std::size_t running_size = 0;
const char* running_file = nullptr;
int reports = STDERR_FILENO;

void say(const char* text) {
  if (write(reports, text, std::strlen(text)) < 0) return;
}

void silence_stderr() {
  reports = dup(STDERR_FILENO);
  const int nowhere = open("/dev/null", O_WRONLY);
  dup2(nowhere, STDERR_FILENO);
  close(nowhere);
}

void keep_running_input() {
  if (running_input == nullptr) return;
  const int file = open(running_file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  std::size_t done = 0;
  while (file >= 0 && done < running_size) {
    const ssize_t written = write(file, running_input + done, running_size - done);
    if (written <= 0) break;
    done += static_cast<std::size_t>(written);
  }
  say("\nthe input is in ");
  say(running_file);
  say("\n");
  running_input = nullptr;
}

extern "C" void end_by_signal(int signal) {
  say(signal == SIGPROF   ? "\nan input takes too much time"
      : signal == SIGABRT ? "\nan input aborts the program"
                          : "\nan input crashes the program");
  keep_running_input();
  _exit(1);
}

void set_timer(int seconds) {
  const itimerval timer{.it_interval = {}, .it_value = {.tv_sec = seconds, .tv_usec = 0}};
  setitimer(ITIMER_PROF, &timer, nullptr);
}

void limit_memory() {
#ifndef __SANITIZE_ADDRESS__
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const rlim_t bytes = pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + bytes_per_input;
  const rlimit limit{.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
  setrlimit(RLIMIT_AS, &limit);
#endif
}

}  // namespace

void watch_process() {
  // A stack of its own, for a stack that has overflown.
  static std::array<char, 1 << 16> signal_stack;
  stack_t stack{};
  stack.ss_sp = signal_stack.data();
  stack.ss_size = signal_stack.size();
  sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_handler = end_by_signal;
  action.sa_flags = SA_ONSTACK;
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPROF})
    sigaction(signal, &action, nullptr);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(keep_running_input);
  silence_stderr();
  limit_memory();
}

void report(const std::string& line) { say((line + "\n").c_str()); }

void input_begins(const std::string& input, const std::string& file) {
  running_size = input.size();
  running_file = file.c_str();
  running_input = input.data();
  set_timer(seconds_per_input);
}

void input_is_done() {
  set_timer(0);
  running_input = nullptr;
}

}  // namespace rankine::fuzz
