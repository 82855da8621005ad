// The error types every room throws, each with its process exit code and the place it was thrown.
//
// Messages follow one grammar: what happened, where (why it is wrong). What to do.
#pragma once

#include <source_location>
#include <stdexcept>
#include <string>

namespace rankine {

/// Process exit codes; the same for every program (docs/file_formats.md).
enum class ExitCode : int {
  done = 0,
  input = 2,
  resource = 3,
  numerical = 4,
  library = 5,
  internal = 70,
  stopped = 75,
};

/// Base of all errors a user can meet. `what()` is the complete message; `where()` is for
/// developers.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message, std::source_location where)
      : std::runtime_error(message), code_(code), where_(where) {}

  ExitCode code() const noexcept { return code_; }
  const std::source_location& where() const noexcept { return where_; }

  /// How many ranks are known to throw this same error: 1 until the ranks of a communicator agreed.
  int agreed_by() const noexcept { return agreed_by_; }
  void mark_agreed(int n_ranks) noexcept { agreed_by_ = n_ranks; }

 private:
  ExitCode code_;
  std::source_location where_;
  int agreed_by_ = 1;
};

/// The deck, the command line or the content of a file is wrong.
class InputError : public Error {
 public:
  explicit InputError(const std::string& message,
                      std::source_location where = std::source_location::current())
      : Error(ExitCode::input, message, where) {}
};

/// Memory, disk or a 32-bit limit does not suffice.
class ResourceError : public Error {
 public:
  explicit ResourceError(const std::string& message,
                         std::source_location where = std::source_location::current())
      : Error(ExitCode::resource, message, where) {}
};

/// A number is not finite, or an iteration did not converge.
class NumericalError : public Error {
 public:
  explicit NumericalError(const std::string& message,
                          std::source_location where = std::source_location::current())
      : Error(ExitCode::numerical, message, where) {}
};

/// A library (MPI, HDF5, LAPACK, METIS) returned an error code.
class LibraryError : public Error {
 public:
  explicit LibraryError(const std::string& message,
                        std::source_location where = std::source_location::current())
      : Error(ExitCode::library, message, where) {}
};

/// The run was asked to stop, and what it needs to go on is kept: nobody's fault, but the way out
/// is that of an error. The message is the last line of the run.
class Stopped : public Error {
 public:
  explicit Stopped(const std::string& message,
                   std::source_location where = std::source_location::current())
      : Error(ExitCode::stopped, message, where) {}
};

/// The same error, marked as one that all `n_ranks` ranks throw because all see the same cause.
template <class ErrorKind>
ErrorKind known_to_all(int n_ranks, ErrorKind error) {
  error.mark_agreed(n_ranks);
  return error;
}

}  // namespace rankine
