// A message under way. Destroying it unfinished is safe, also while an exception unwinds the stack.
#pragma once

#include <mpi.h>

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace rankine::parallel {

/// Started by Communicator::send and Communicator::receive; move-only.
///
/// A send owns the memory of its values, a copy or what the caller gave away, so an abandoned send
/// never blocks: MPI finishes it when it can. An abandoned receive is cancelled, after which MPI no
/// longer writes to the caller's array. A default-constructed request is finished.
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

  /// What keeps the values of a send alive, of any type.
  using Memory = std::unique_ptr<void, void (*)(void*)>;
  template <class Owner>
  static Memory kept(Owner owner) {
    return {new Owner(std::move(owner)), [](void* memory) { delete static_cast<Owner*>(memory); }};
  }

  static Request start_send(std::span<const std::byte> values, Memory memory, int destination,
                            int tag, MPI_Comm communicator);
  static Request start_receive(std::span<std::byte> values, int source, int tag,
                               MPI_Comm communicator);
  void abandon() noexcept;

  Direction direction_ = Direction::outgoing;
  std::vector<Piece> pieces_;
  Memory memory_{nullptr, nullptr};
};

}  // namespace rankine::parallel
