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

/// Runs `work` on every rank, then agrees (one reduction if all went well) and returns its result.
///
/// `work` may fail on some ranks only, so it must not communicate, except through operations that
/// themselves fail on all ranks or none. If any rank failed, every rank throws the same kind of
/// error (InputError, ...; Error with ExitCode::internal for what is not a rankine::Error), with
/// the message of the lowest failing rank and, unless all failed alike, the number of that rank.
template <class Work>
auto agree_on_failure(const Communicator& ranks, Work&& work) {
  using Result = std::invoke_result_t<Work>;
  std::exception_ptr failure;
  if constexpr (std::is_void_v<Result>) {
    try {
      std::forward<Work>(work)();
    } catch (...) {
      failure = std::current_exception();
    }
    agree_on(ranks, failure);
  } else {
    std::optional<Result> result;
    try {
      result.emplace(std::forward<Work>(work)());
    } catch (...) {
      failure = std::current_exception();
    }
    agree_on(ranks, failure);
    return std::move(*result);
  }
}

}  // namespace rankine::parallel
