#include "parallel/agreement.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <new>
#include <span>
#include <stdexcept>

namespace rankine::parallel {

namespace {

std::atomic<Translator> translator_of_errors = nullptr;

template <class ErrorKind>
[[noreturn]] void throw_agreed(const Failure& failure) {
  throw known_to_all(failure.agreed_by, ErrorKind(failure.message, failure.where));
}

[[noreturn]] void throw_agreed(const Failure& failure) {
  switch (failure.code) {
    case ExitCode::input:
      throw_agreed<InputError>(failure);
    case ExitCode::resource:
      throw_agreed<ResourceError>(failure);
    case ExitCode::numerical:
      throw_agreed<NumericalError>(failure);
    case ExitCode::library:
      throw_agreed<LibraryError>(failure);
    case ExitCode::stopped:
      throw_agreed<Stopped>(failure);
    default:
      throw known_to_all(failure.agreed_by, Error(failure.code, failure.message, failure.where));
  }
}

/// The failure of `origin` on every rank, and whether all ranks failed with just that.
Failure spread(const Communicator& ranks, const Failure& mine, bool i_failed, int origin) {
  struct {
    ExitCode code;
    int agreed_by;
  } fixed{mine.code, mine.agreed_by};
  ranks.broadcast(std::span(&fixed, 1), origin);
  Failure failure{fixed.code, ranks.broadcast(mine.message, origin), ranks.size(), mine.where};
  const bool alike = i_failed && mine.code == failure.code && mine.message == failure.message;
  const bool all_alike = ranks.min(alike ? 1 : 0) == 1;
  // A message that a part of the ranks agreed on before names its rank already.
  const bool is_stop = failure.code == ExitCode::stopped;
  if (!all_alike && !is_stop && fixed.agreed_by == 1) {
    failure.message = fmt::format("rank {}: {}", origin, failure.message);
  }
  return failure;
}

}  // namespace

Failure describe_failure(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const Error& error) {
    return {error.code(), error.what(), error.agreed_by(), error.where()};
  } catch (const std::bad_alloc&) {
    return {ExitCode::resource,
            "Out of memory (an allocation failed). Use more nodes, fewer ranks per node or a "
            "smaller problem."};
  } catch (const std::length_error&) {
    return {ExitCode::resource,
            "Out of memory (an array would have more elements than there can be). Use a smaller "
            "problem."};
  } catch (const std::filesystem::filesystem_error& error) {
    return {ExitCode::input,
            fmt::format("Cannot use '{}' ({}). Check the path and who may read it.",
                        error.path1().string(), error.code().message())};
  } catch (const std::exception& error) {
    if (const Translator translate = translator_of_errors)
      if (const auto failure = translate(exception)) return *failure;
    return {ExitCode::internal, error.what()};
  } catch (...) {
    return {ExitCode::internal, "Unknown exception. Please report this as a defect."};
  }
}

void translate_errors_with(Translator translator) { translator_of_errors = translator; }

void agree_on(const Communicator& ranks, const std::exception_ptr& mine) {
  const bool i_failed = mine != nullptr;
  const Failure failure = i_failed ? describe_failure(mine) : Failure{};
  // Faults come before stops, whatever the rank.
  const int none = 2 * ranks.size();
  const int place =
      ranks.rank() + (i_failed && failure.code == ExitCode::stopped ? ranks.size() : 0);
  const int first = ranks.min(i_failed ? place : none);
  if (first < none) throw_agreed(spread(ranks, failure, i_failed, first % ranks.size()));
}

}  // namespace rankine::parallel
