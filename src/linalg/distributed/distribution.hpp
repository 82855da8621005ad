// Which part of a grid owns which index: pure 64-bit arithmetic, no MPI.
//
// Both layouts of the library are block-cyclic, ScaLAPACK's: row blocks are the case in which the
// blocks are so large that each part has at most one. docs/distributions.md has a picture.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/contracts.hpp"

namespace rankine::linalg {

/// Indices [0, size) dealt out to `parts` in blocks of `block`: block b belongs to part b % parts.
class Axis {
 public:
  Axis() = default;
  Axis(std::int64_t size, std::int64_t block, int parts)
      : size_(size), block_(block), parts_(parts) {
    RANKINE_EXPECTS(size >= 0 && block >= 1 && parts >= 1, "an axis has blocks and parts");
  }
  /// One contiguous block for each part; the last ones are smaller or empty.
  static Axis contiguous(std::int64_t size, int parts) {
    return {size, std::max<std::int64_t>(1, (size + parts - 1) / parts), parts};
  }

  std::int64_t size() const { return size_; }
  std::int64_t block() const { return block_; }
  int parts() const { return parts_; }
  bool is_contiguous() const { return (size_ + block_ - 1) / block_ <= parts_; }

  int owner(std::int64_t global) const { return static_cast<int>((global / block_) % parts_); }
  /// Where the owner of `global` keeps it.
  std::int64_t local(std::int64_t global) const {
    return (global / block_ / parts_) * block_ + global % block_;
  }
  std::int64_t global(int part, std::int64_t local) const {
    return ((local / block_) * parts_ + part) * block_ + local % block_;
  }
  /// How many of the indices below `end` belong to `part`; also the local index of the first one
  /// of the part that is not below `end`.
  std::int64_t local_count(int part, std::int64_t end) const {
    const std::int64_t full = end / block_;  // whole blocks before `end`
    const std::int64_t rounds = full / parts_, extra = full % parts_;
    const std::int64_t last = part < extra ? block_ : part == extra ? end % block_ : 0;
    return rounds * block_ + last;
  }
  std::int64_t local_size(int part) const { return local_count(part, size_); }

  bool operator==(const Axis&) const = default;

 private:
  std::int64_t size_ = 0;
  std::int64_t block_ = 1;
  int parts_ = 1;
};

/// How the rows and columns of a matrix lie on a grid of rows().parts() x columns().parts() ranks.
class Distribution {
 public:
  Distribution() = default;
  Distribution(Axis rows, Axis columns) : rows_(rows), columns_(columns) {}
  static Distribution row_blocks(std::int64_t rows, std::int64_t columns, int parts) {
    return {Axis::contiguous(rows, parts), Axis::contiguous(columns, 1)};
  }
  static Distribution block_cyclic(std::int64_t rows, std::int64_t columns, std::int64_t block,
                                   int row_parts, int column_parts) {
    return {{rows, block, row_parts}, {columns, block, column_parts}};
  }

  const Axis& rows() const { return rows_; }
  const Axis& columns() const { return columns_; }
  bool is_row_blocks() const { return columns_.parts() == 1 && rows_.is_contiguous(); }
  /// The same layout for another matrix: row blocks stay row blocks, others keep their blocks.
  Distribution reshaped(std::int64_t rows, std::int64_t columns) const {
    if (is_row_blocks()) return row_blocks(rows, columns, rows_.parts());
    return {{rows, rows_.block(), rows_.parts()}, {columns, columns_.block(), columns_.parts()}};
  }

  bool operator==(const Distribution&) const = default;

 private:
  Axis rows_;
  Axis columns_;
};

}  // namespace rankine::linalg
