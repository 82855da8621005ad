// The one object in main that starts MPI and ends it.
#pragma once

#include <optional>

#include "parallel/communicator.hpp"

namespace rankine::parallel {

/// Lives in main, around everything that communicates. MPI errors come back as LibraryError.
class Session {
 public:
  /// Starts MPI (threads: only the main one calls it) and names this rank to the log.
  /// Throws LibraryError if MPI cannot offer that.
  Session(int& argc, char**& argv);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  /// Ends MPI. If an exception is passing, the other ranks cannot know: then it aborts them.
  ~Session();

  /// All ranks, on a communicator of our own (apart from the traffic of libraries).
  const Communicator& world() const { return *world_; }

 private:
  std::optional<Communicator> world_;
};

/// "Open MPI v4.1.4, ..." reduced to its name and version, for provenance. Needs no Session.
std::string mpi_library_version();

}  // namespace rankine::parallel
