#include "parallel/notice.hpp"

#include <span>

#include "parallel/mpi_call.hpp"

namespace rankine::parallel {

namespace {

constexpr int tag = 1;

}  // namespace

void Notice::say(int word) {
  if (heard() != 0) return;
  word_ = word;
  for (int rank = 0; rank < ranks_.size(); ++rank)
    if (rank != ranks_.rank())
      sent_.push_back(ranks_.send(std::span<const int>(&word_, 1), rank, tag));
}

int Notice::heard() {
  int is_there = 1;
  while (word_ == 0 && is_there) {
    MPI_Status status;
    check_mpi(MPI_Iprobe(MPI_ANY_SOURCE, tag, ranks_.handle(), &is_there, &status), "MPI_Iprobe");
    if (is_there) ranks_.receive(std::span(&word_, 1), status.MPI_SOURCE, tag).wait();
  }
  return word_;
}

}  // namespace rankine::parallel
