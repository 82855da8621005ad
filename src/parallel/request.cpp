#include "parallel/request.hpp"

#include <fmt/core.h>

#include <utility>

#include "core/errors.hpp"
#include "core/profile.hpp"
#include "parallel/mpi_call.hpp"
#include "parallel/pieces.hpp"

namespace rankine::parallel {

Request::Request(Request&& other) noexcept
    : direction_(other.direction_),
      pieces_(std::exchange(other.pieces_, {})),
      memory_(std::move(other.memory_)) {}

Request& Request::operator=(Request&& other) noexcept {
  if (this == &other) return *this;
  abandon();
  direction_ = other.direction_;
  pieces_ = std::exchange(other.pieces_, {});
  memory_ = std::move(other.memory_);
  return *this;
}

Request::~Request() { abandon(); }

Request Request::start_send(std::span<const std::byte> values, Memory memory, int destination,
                            int tag, MPI_Comm communicator) {
  const ProfileStage stage("exchange", Flops::counted);
  count_bytes_sent(values.size());
  Request request;
  request.direction_ = Direction::outgoing;
  request.memory_ = std::move(memory);
  for_each_piece(values.size(), longest_piece, [&](std::size_t first, int bytes) {
    request.pieces_.push_back({MPI_REQUEST_NULL, bytes});
    check_mpi(MPI_Isend(values.data() + first, bytes, MPI_BYTE, destination, tag, communicator,
                        &request.pieces_.back().handle),
              "MPI_Isend");
  });
  return request;
}

Request Request::start_receive(std::span<std::byte> values, int source, int tag,
                               MPI_Comm communicator) {
  Request request;
  request.direction_ = Direction::incoming;
  for_each_piece(values.size(), longest_piece, [&](std::size_t first, int bytes) {
    request.pieces_.push_back({MPI_REQUEST_NULL, bytes});
    check_mpi(MPI_Irecv(values.data() + first, bytes, MPI_BYTE, source, tag, communicator,
                        &request.pieces_.back().handle),
              "MPI_Irecv");
  });
  return request;
}

void Request::wait() {
  const ProfileStage stage("exchange", Flops::counted);
  while (!pieces_.empty()) {
    Piece piece = pieces_.back();
    pieces_.pop_back();
    MPI_Status status;
    check_mpi(MPI_Wait(&piece.handle, &status), "MPI_Wait");
    if (direction_ == Direction::outgoing) continue;
    int arrived = 0;
    check_mpi(MPI_Get_count(&status, MPI_BYTE, &arrived), "MPI_Get_count");
    if (arrived != piece.bytes) {
      throw LibraryError(fmt::format(
          "A message from rank {} with tag {} has {} bytes instead of {} (sender and receiver "
          "disagree on its length). Please report this as a defect.",
          status.MPI_SOURCE, status.MPI_TAG, arrived, piece.bytes));
    }
  }
  memory_.reset();
}

void Request::abandon() noexcept {
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (finalized) return;
  bool mpi_still_reads = false;
  for (Piece& piece : pieces_) {
    if (piece.handle == MPI_REQUEST_NULL) continue;
    if (direction_ == Direction::incoming) {
      // A receive that has met its message already is not cancelled, but then completes.
      MPI_Cancel(&piece.handle);
      MPI_Wait(&piece.handle, MPI_STATUS_IGNORE);
      continue;
    }
    int done = 0;
    MPI_Test(&piece.handle, &done, MPI_STATUS_IGNORE);
    if (!done) {
      MPI_Request_free(&piece.handle);
      mpi_still_reads = true;
    }
  }
  pieces_.clear();
  // Nobody can tell when a freed send is done, so its values stay for the rest of the run.
  if (mpi_still_reads) static_cast<void>(memory_.release());
}

}  // namespace rankine::parallel
