// A group of ranks and the operations they do together.
//
// Values of any trivially copyable type travel as bytes. Every operation except send, receive and
// the accessors is collective: all ranks of the communicator call it, in the same order.
#pragma once

#include <mpi.h>

#include <complex>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "parallel/request.hpp"

namespace rankine::parallel {

template <class T>
concept Transferable = std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>;

template <class T>
concept Arithmetic = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;

template <class T>
concept Summable = Arithmetic<T> || std::is_same_v<T, std::complex<float>> ||
    std::is_same_v<T, std::complex<double>>;

/// Owns its MPI handle; move-only. Any method may throw LibraryError.
class Communicator {
 public:
  /// Takes the handle over and frees it at the end.
  explicit Communicator(MPI_Comm owned);
  Communicator(Communicator&& other) noexcept;
  Communicator& operator=(Communicator&& other) noexcept;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  ~Communicator();

  int rank() const noexcept { return rank_; }
  int size() const noexcept { return size_; }
  /// For libraries that take a communicator (BLACS, PETSc, HDF5).
  MPI_Comm handle() const noexcept { return handle_; }

  Communicator duplicate() const;
  /// One communicator per colour (>= 0), ranks ordered by key, then by rank here.
  Communicator split(int colour, int key) const;

  void barrier() const;
  /// The same for a long wait: the ranks that are there already leave their processors to others.
  void wait_for_all() const;

  /// Overwrites `values` with those of `root`; the length is the same on all ranks.
  template <Transferable T>
  void broadcast(std::span<T> values, int root) const {
    broadcast_bytes(std::as_writable_bytes(values), root);
  }
  /// The text of `root`, of any length.
  std::string broadcast(std::string text, int root) const;

  template <Summable T>
  T sum(T value) const {
    reduce(&value, 1, datatype<T>(), MPI_SUM);
    return value;
  }
  template <Arithmetic T>
  T max(T value) const {
    reduce(&value, 1, datatype<T>(), MPI_MAX);
    return value;
  }
  template <Arithmetic T>
  T min(T value) const {
    reduce(&value, 1, datatype<T>(), MPI_MIN);
    return value;
  }
  /// Element by element, in place; the length is the same on all ranks.
  template <Summable T>
  void sum(std::span<T> values) const {
    reduce(values.data(), values.size(), datatype<T>(), MPI_SUM);
  }

  /// The values of all ranks in rank order on `root`, nothing elsewhere; lengths may differ and be
  /// 0. Throws ResourceError (on all ranks) beyond 2^31 - 1 values in all.
  template <Transferable T>
  std::vector<T> gather(std::span<const T> mine, int root) const {
    const Blocks blocks = measure_blocks(mine.size(), sizeof(T));
    std::vector<T> all(rank_ == root ? blocks.total : 0);
    gather_blocks(mine.data(), all.data(), sizeof(T), blocks, root);
    return all;
  }
  /// The values of all ranks in rank order, on every rank. Throws ResourceError like gather.
  template <Transferable T>
  std::vector<T> all_gather(std::span<const T> mine) const {
    const Blocks blocks = measure_blocks(mine.size(), sizeof(T));
    std::vector<T> all(blocks.total);
    all_gather_blocks(mine.data(), all.data(), sizeof(T), blocks);
    return all;
  }

  /// The same into `all`, where every rank knows how many values each one has (`counts`, one per
  /// rank; all.size() is their sum). Throws ResourceError like gather.
  template <Transferable T>
  void all_gather(std::span<const T> mine, std::span<const std::int64_t> counts,
                  std::span<T> all) const {
    all_gather_blocks(mine.data(), all.data(), sizeof(T), place_blocks(counts, sizeof(T)));
  }

  /// Sends outgoing[r] to rank r and receives from it exactly incoming[r].size() values, for all r;
  /// lengths may be 0. Nothing is copied, so both must stay untouched until this returns.
  template <Transferable T>
  void exchange(std::span<const std::span<const T>> outgoing,
                std::span<const std::span<T>> incoming) const {
    std::vector<std::span<const std::byte>> out;
    std::vector<std::span<std::byte>> in;
    for (const auto& values : outgoing) out.push_back(std::as_bytes(values));
    for (const auto& values : incoming) in.push_back(std::as_writable_bytes(values));
    exchange_bytes(out, in);
  }

  /// Starts a message and returns; `values` may be reused at once (the request holds a copy).
  template <Transferable T>
  [[nodiscard]] Request send(std::span<const T> values, int destination, int tag) const {
    std::vector<T> copy(values.begin(), values.end());
    const std::span<const T> sent(copy);
    return send(sent, std::move(copy), destination, tag);
  }
  /// The same without a copy: the request takes over the `owner` of the memory of `values`, whose
  /// address must not change when it moves (a vector, a buffer).
  template <Transferable T, class Owner>
  [[nodiscard]] Request send(std::span<const T> values, Owner owner, int destination,
                             int tag) const {
    return Request::start_send(std::as_bytes(values), Request::kept(std::move(owner)), destination,
                               tag, handle_);
  }
  /// Starts to receive exactly values.size() values; they are there after Request::wait, and
  /// `values` must outlive the request.
  template <Transferable T>
  [[nodiscard]] Request receive(std::span<T> values, int source, int tag) const {
    return Request::start_receive(std::as_writable_bytes(values), source, tag, handle_);
  }

 private:
  /// How many values each rank contributes and where they begin, in units of one value.
  struct Blocks {
    std::vector<int> counts;
    std::vector<int> starts;
    std::size_t total;
  };

  template <class T>
  static MPI_Datatype datatype();
  void broadcast_bytes(std::span<std::byte> bytes, int root) const;
  void reduce(void* values, std::size_t count, MPI_Datatype type, MPI_Op operation) const;
  void exchange_bytes(std::span<const std::span<const std::byte>> outgoing,
                      std::span<const std::span<std::byte>> incoming) const;
  Blocks measure_blocks(std::size_t mine, std::size_t value_bytes) const;
  Blocks place_blocks(std::span<const std::int64_t> counts, std::size_t value_bytes) const;
  void gather_blocks(const void* mine, void* all, std::size_t value_bytes, const Blocks& blocks,
                     int root) const;
  void all_gather_blocks(const void* mine, void* all, std::size_t value_bytes,
                         const Blocks& blocks) const;
  void free() noexcept;

  MPI_Comm handle_;
  int rank_ = 0;
  int size_ = 1;
};

template <class T>
MPI_Datatype Communicator::datatype() {
  if constexpr (std::is_same_v<T, std::complex<double>>) {
    return MPI_CXX_DOUBLE_COMPLEX;
  } else if constexpr (std::is_same_v<T, std::complex<float>>) {
    return MPI_CXX_FLOAT_COMPLEX;
  } else if constexpr (std::is_same_v<T, double>) {
    return MPI_DOUBLE;
  } else if constexpr (std::is_same_v<T, float>) {
    return MPI_FLOAT;
  } else if constexpr (std::is_same_v<T, long double>) {
    return MPI_LONG_DOUBLE;
  } else if constexpr (std::is_signed_v<T>) {
    return sizeof(T) == 8   ? MPI_INT64_T
           : sizeof(T) == 4 ? MPI_INT32_T
           : sizeof(T) == 2 ? MPI_INT16_T
                            : MPI_INT8_T;
  } else {
    return sizeof(T) == 8   ? MPI_UINT64_T
           : sizeof(T) == 4 ? MPI_UINT32_T
           : sizeof(T) == 2 ? MPI_UINT16_T
                            : MPI_UINT8_T;
  }
}

}  // namespace rankine::parallel
