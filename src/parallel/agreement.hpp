// Makes a failure that one rank noticed the failure of all ranks.
#pragma once

#include <exception>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

#include "core/errors.hpp"
#include "parallel/communicator.hpp"

namespace rankine::parallel {

/// What an exception means to the user: its exit code, its message and how many ranks know of it.
struct Failure {
  ExitCode code = ExitCode::internal;
  std::string message;
  int agreed_by = 1;
  std::source_location where = std::source_location::current();
};

/// std::bad_alloc and std::length_error count as resource failures, errors of std::filesystem as
/// those of the input; what else is not a rankine::Error as an internal one, unless it is a
/// library's and the translator knows it.
Failure describe_failure(const std::exception_ptr& exception);

/// What the error of a library means that this room does not know; nothing for other exceptions.
using Translator = std::optional<Failure> (*)(const std::exception_ptr& exception);

/// From now on, in this process, describe_failure asks `translator`.
void translate_errors_with(Translator translator);

/// Collective. Returns if `mine` is null on every rank. Otherwise every rank throws the error of
/// the lowest failing rank, marked as agreed by all.
void agree_on(const Communicator& ranks, const std::exception_ptr& mine);

/// Keeps a failure of this rank to itself until all ranks can agree on it: between messages that
/// others wait for, a failing rank goes on sending, whatever is in its memory.
class PostponedFailure {
 public:
  /// Does nothing after a failure.
  template <class Work>
  void guard(Work&& work) {
    if (failure_) return;
    try {
      std::forward<Work>(work)();
    } catch (...) {
      failure_ = std::current_exception();
    }
  }
  const std::exception_ptr& get() const { return failure_; }
  /// Throws it on this rank, inside of what the ranks agree on anyway.
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::exception_ptr failure_;
};

/// What `work` returned, or what it threw.
template <class Work>
class Attempt {
 public:
  explicit Attempt(Work&& work) {
    try {
      if constexpr (std::is_void_v<Result>)
        std::forward<Work>(work)();
      else
        result_.emplace(std::forward<Work>(work)());
    } catch (...) {
      failure_ = std::current_exception();
    }
  }
  const std::exception_ptr& failure() const { return failure_; }
  std::invoke_result_t<Work> result() {
    if constexpr (!std::is_void_v<Result>) return std::move(*result_);
  }

 private:
  using Result = std::invoke_result_t<Work>;
  struct Nothing {};
  std::optional<std::conditional_t<std::is_void_v<Result>, Nothing, Result>> result_;
  std::exception_ptr failure_;
};

/// Runs `work` on every rank, then agrees (one reduction if all went well) and returns its result.
///
/// `work` may fail on some ranks only, so it must not communicate, except through operations that
/// themselves fail on all ranks or none. If any rank failed, every rank throws the same kind of
/// error (InputError, ...; Error with ExitCode::internal for what is not a rankine::Error), with
/// the message of the lowest failing rank and, unless all failed alike, the number of that rank.
template <class Work>
auto agree_on_failure(const Communicator& ranks, Work&& work) {
  Attempt<Work> attempt(std::forward<Work>(work));
  agree_on(ranks, attempt.failure());
  return attempt.result();
}

/// Runs `work`, which communicates within `team`, on every rank of `world`; then all teams agree.
/// Teams that are done leave their processors to the others.
///
/// What a team agreed on reaches the other teams here. What one rank of several throws without
/// their knowledge passes on at once, for its team waits for it: run_to_exit_code then ends all.
template <class Work>
auto agree_between_teams(const Communicator& world, const Communicator& team, Work&& work) {
  Attempt<Work> attempt(std::forward<Work>(work));
  if (attempt.failure() && describe_failure(attempt.failure()).agreed_by < team.size())
    std::rethrow_exception(attempt.failure());
  world.wait_for_all();
  agree_on(world, attempt.failure());
  return attempt.result();
}

}  // namespace rankine::parallel
