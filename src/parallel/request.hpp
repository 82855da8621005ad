// A message under way. Destroying it unfinished is safe, also while an exception unwinds the stack.
#pragma once

#include <mpi.h>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace rankine::parallel {

/// Started by Communicator::send and Communicator::receive; move-only.
///
/// A send holds its own copy of the values, so the caller's array is free at once and an abandoned
/// send never blocks: MPI finishes it when it can. An abandoned receive is cancelled, after which
/// MPI no longer writes to the caller's array. A default-constructed request is finished.
class Request {
 public:
  Request() = default;
  Request(Request&& other) noexcept;
  Request& operator=(Request&& other) noexcept;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  ~Request();

  /// Returns when the message has left (send) or arrived (receive). Calling it again does nothing.
  /// Throws LibraryError, also if the message has another length than the receiver asked for.
  void wait();

 private:
  friend class Communicator;
  enum class Direction { outgoing, incoming };
  struct Piece {
    MPI_Request handle;
    int bytes;
  };

  static Request start_send(std::span<const std::byte> values, int destination, int tag,
                            MPI_Comm communicator);
  static Request start_receive(std::span<std::byte> values, int source, int tag,
                               MPI_Comm communicator);
  void abandon() noexcept;

  Direction direction_ = Direction::outgoing;
  std::vector<Piece> pieces_;
  std::unique_ptr<std::byte[]> outgoing_copy_;
};

}  // namespace rankine::parallel
