#include "parallel/communicator.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <limits>
#include <optional>
#include <thread>
#include <utility>

#include "core/contracts.hpp"
#include "core/errors.hpp"
#include "core/profile.hpp"
#include "parallel/mpi_call.hpp"
#include "parallel/pieces.hpp"

namespace rankine::parallel {

namespace {

/// The stage of the profile in which ranks do something together. Where hardly any bytes travel it
/// lasts until the last rank is there.
class Together {
 public:
  /// `bytes` of the whole operation, `sent` those of this rank.
  Together(int ranks, std::size_t bytes, std::size_t sent) {
    constexpr std::size_t hardly_any = 4096;
    if (ranks == 1) return;
    stage_.emplace(bytes <= hardly_any ? "wait" : "collectives", Flops::counted);
    count_bytes_sent(sent);
  }

 private:
  std::optional<ProfileStage> stage_;
};

/// An MPI type for `bytes` bytes, so that counts and offsets are in values, not in bytes.
class ValueType {
 public:
  explicit ValueType(std::size_t bytes) {
    check_mpi(MPI_Type_contiguous(static_cast<int>(bytes), MPI_BYTE, &type_),
              "MPI_Type_contiguous");
    check_mpi(MPI_Type_commit(&type_), "MPI_Type_commit");
  }
  ValueType(const ValueType&) = delete;
  ValueType& operator=(const ValueType&) = delete;
  ~ValueType() { MPI_Type_free(&type_); }

  MPI_Datatype handle() const { return type_; }

 private:
  MPI_Datatype type_ = MPI_DATATYPE_NULL;
};

}  // namespace

Communicator::Communicator(MPI_Comm owned) : handle_(owned) {
  check_mpi(MPI_Comm_rank(handle_, &rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(handle_, &size_), "MPI_Comm_size");
}

Communicator::Communicator(Communicator&& other) noexcept
    : handle_(std::exchange(other.handle_, MPI_COMM_NULL)),
      rank_(other.rank_),
      size_(other.size_) {}

Communicator& Communicator::operator=(Communicator&& other) noexcept {
  if (this == &other) return *this;
  free();
  handle_ = std::exchange(other.handle_, MPI_COMM_NULL);
  rank_ = other.rank_;
  size_ = other.size_;
  return *this;
}

Communicator::~Communicator() { free(); }

void Communicator::free() noexcept {
  if (handle_ == MPI_COMM_NULL) return;
  // Freeing is collective: the other ranks might never come if this one is failing alone.
  if (std::uncaught_exceptions() > 0) return;
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (!finalized) MPI_Comm_free(&handle_);
}

Communicator Communicator::duplicate() const {
  MPI_Comm copy = MPI_COMM_NULL;
  check_mpi(MPI_Comm_dup(handle_, &copy), "MPI_Comm_dup");
  return Communicator(copy);
}

Communicator Communicator::split(int colour, int key) const {
  RANKINE_EXPECTS(colour >= 0, "a colour is not negative");
  MPI_Comm part = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split(handle_, colour, key, &part), "MPI_Comm_split");
  return Communicator(part);
}

void Communicator::barrier() const {
  const Together stage(size_, 0, 0);
  check_mpi(MPI_Barrier(handle_), "MPI_Barrier");
}

void Communicator::wait_for_all() const {
  constexpr std::chrono::microseconds shortest(10), longest(1000);
  const Together stage(size_, 0, 0);
  MPI_Request all_are_there = MPI_REQUEST_NULL;
  check_mpi(MPI_Ibarrier(handle_, &all_are_there), "MPI_Ibarrier");
  auto pause = shortest;
  for (int done = 0; !done; pause = std::min(2 * pause, longest)) {
    check_mpi(MPI_Test(&all_are_there, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (!done) std::this_thread::sleep_for(pause);
  }
}

void Communicator::broadcast_bytes(std::span<std::byte> bytes, int root) const {
  const Together stage(size_, bytes.size(), rank_ == root ? bytes.size() : 0);
  for_each_piece(bytes.size(), longest_piece, [&](std::size_t first, int count) {
    check_mpi(MPI_Bcast(bytes.data() + first, count, MPI_BYTE, root, handle_), "MPI_Bcast");
  });
}

std::string Communicator::broadcast(std::string text, int root) const {
  std::size_t length = text.size();
  broadcast(std::span(&length, 1), root);
  text.resize(length);
  broadcast(std::span(text), root);
  return text;
}

void Communicator::reduce(void* values, std::size_t count, MPI_Datatype type,
                          MPI_Op operation) const {
  int bytes_per_value = 0;
  check_mpi(MPI_Type_size(type, &bytes_per_value), "MPI_Type_size");
  const std::size_t n_bytes = count * static_cast<std::size_t>(bytes_per_value);
  const Together stage(size_, n_bytes, n_bytes);
  auto* bytes = static_cast<std::byte*>(values);
  const auto longest = longest_piece / static_cast<std::size_t>(bytes_per_value);
  for_each_piece(count, longest, [&](std::size_t first, int piece) {
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, bytes + first * static_cast<std::size_t>(bytes_per_value),
                            piece, type, operation, handle_),
              "MPI_Allreduce");
  });
}

void Communicator::exchange_bytes(std::span<const std::span<const std::byte>> outgoing,
                                  std::span<const std::span<std::byte>> incoming) const {
  RANKINE_EXPECTS(std::ssize(outgoing) == size_ && std::ssize(incoming) == size_,
                  "an exchange has one message for each rank");
  constexpr int tag = 0;
  std::optional<ProfileStage> stage;
  if (size_ > 1) stage.emplace("exchange", Flops::counted);
  std::vector<MPI_Request> requests;
  const auto start = [&](auto bytes, int other, auto call) {
    if (bytes.empty()) return;
    for_each_piece(bytes.size(), longest_piece, [&](std::size_t first, int count) {
      check_mpi(call(bytes.data() + first, count, MPI_BYTE, other, tag, handle_,
                     &requests.emplace_back(MPI_REQUEST_NULL)),
                "message of an exchange");
    });
  };
  for (int other = 0; other < size_; ++other)
    if (other != rank_) start(incoming[static_cast<std::size_t>(other)], other, MPI_Irecv);
  for (int other = 0; other < size_; ++other)
    if (other != rank_) {
      count_bytes_sent(outgoing[static_cast<std::size_t>(other)].size());
      start(outgoing[static_cast<std::size_t>(other)], other, MPI_Isend);
    }
  const auto mine = outgoing[static_cast<std::size_t>(rank_)];
  std::copy(mine.begin(), mine.end(), incoming[static_cast<std::size_t>(rank_)].begin());
  check_mpi(MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE),
            "MPI_Waitall");
}

Communicator::Blocks Communicator::measure_blocks(std::size_t mine, std::size_t value_bytes) const {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(size_));
  const auto my_count = static_cast<std::int64_t>(mine);
  const Together stage(size_, 0, sizeof(my_count));
  check_mpi(MPI_Allgather(&my_count, 1, MPI_INT64_T, counts.data(), 1, MPI_INT64_T, handle_),
            "MPI_Allgather");
  return place_blocks(counts, value_bytes);
}

Communicator::Blocks Communicator::place_blocks(std::span<const std::int64_t> counts,
                                                std::size_t value_bytes) const {
  RANKINE_EXPECTS(counts.size() == static_cast<std::size_t>(size_), "one count for each rank");
  std::int64_t total = 0;
  for (const std::int64_t count : counts) total += count;
  if (total > std::numeric_limits<int>::max()) {
    throw known_to_all(
        size_, ResourceError(fmt::format(
                   "Cannot gather {} values of {} bytes from {} ranks (MPI's 32-bit counts end at "
                   "2147483647). Use a smaller problem or more teams of ranks.",
                   total, value_bytes, size_)));
  }
  Blocks blocks{{}, {}, static_cast<std::size_t>(total)};
  int start = 0;
  for (const std::int64_t count : counts) {
    blocks.counts.push_back(static_cast<int>(count));
    blocks.starts.push_back(start);
    start += blocks.counts.back();
  }
  return blocks;
}

void Communicator::gather_blocks(const void* mine, void* all, std::size_t value_bytes,
                                 const Blocks& blocks, int root) const {
  const ValueType type(value_bytes);
  const int count = blocks.counts[static_cast<std::size_t>(rank_)];
  const Together stage(size_, blocks.total * value_bytes,
                       rank_ == root ? 0 : static_cast<std::size_t>(count) * value_bytes);
  check_mpi(MPI_Gatherv(mine, count, type.handle(), all, blocks.counts.data(), blocks.starts.data(),
                        type.handle(), root, handle_),
            "MPI_Gatherv");
}

void Communicator::all_gather_blocks(const void* mine, void* all, std::size_t value_bytes,
                                     const Blocks& blocks) const {
  const ValueType type(value_bytes);
  const int count = blocks.counts[static_cast<std::size_t>(rank_)];
  const Together stage(size_, blocks.total * value_bytes,
                       static_cast<std::size_t>(count) * value_bytes);
  check_mpi(MPI_Allgatherv(mine, count, type.handle(), all, blocks.counts.data(),
                           blocks.starts.data(), type.handle(), handle_),
            "MPI_Allgatherv");
}

}  // namespace rankine::parallel
