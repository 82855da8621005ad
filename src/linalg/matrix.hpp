// Dense storage: an aligned buffer that is not initialised, a column-major matrix on it, and views
// of both.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <utility>

#include "core/contracts.hpp"
#include "linalg/scalar.hpp"

namespace rankine::linalg {

/// How an operand enters a product.
enum class Op { none, transpose, adjoint };

/// The letter by which BLAS and ScaLAPACK know it.
constexpr const char* letter(Op op) {
  return op == Op::none ? "N" : op == Op::transpose ? "T" : "C";
}

/// Memory of `size` scalars, aligned to 64 bytes, contents undefined. Move-only; throws
/// std::bad_alloc.
template <Scalar T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::int64_t size)
      : data_(size == 0 ? nullptr
                        : static_cast<T*>(::operator new(static_cast<std::size_t>(size) * sizeof(T),
                                                         alignment))),
        size_(size) {}
  Buffer(Buffer&& other) noexcept
      : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::int64_t size() const { return size_; }
  std::span<T> span() { return {data(), static_cast<std::size_t>(size_)}; }
  std::span<const T> span() const { return {data(), static_cast<std::size_t>(size_)}; }

 private:
  static constexpr std::align_val_t alignment{64};
  struct Free {
    void operator()(T* pointer) const { ::operator delete(pointer, alignment); }
  };
  std::unique_ptr<T, Free> data_;
  std::int64_t size_ = 0;
};

/// A column-major block in somebody else's memory: element (i, j) stands at data[i + j * leading].
template <class T>
struct View {
  T* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t leading = 0;

  View() = default;
  View(T* pointer, std::int64_t n_rows, std::int64_t n_columns)
      : View(pointer, n_rows, n_columns, n_rows) {}
  View(T* pointer, std::int64_t n_rows, std::int64_t n_columns, std::int64_t leading_dimension)
      : data(pointer), rows(n_rows), columns(n_columns), leading(leading_dimension) {}
  /// A view to read from, made of a view to write to.
  operator View<const T>() const { return {data, rows, columns, leading}; }

  T& operator()(std::int64_t i, std::int64_t j) const { return data[i + j * leading]; }
};

template <class T>
using ConstView = View<const T>;

/// Elements of memory behind a matrix of complex numbers with this many rows. The complex gemv of
/// OpenBLAS 0.3.21 reads, and ignores, one element beyond a strided vector: beyond the last row of
/// a matrix, that is one column away.
template <Scalar T>
constexpr std::int64_t overread(std::int64_t rows) {
  return is_complex<T> ? rows + 1 : 0;
}

/// A dense column-major matrix, contents undefined after construction. Move-only.
template <Scalar T>
class Matrix {
 public:
  Matrix() = default;
  Matrix(std::int64_t rows, std::int64_t columns)
      : buffer_(rows * columns + overread<T>(rows)), rows_(rows), columns_(columns) {
    RANKINE_EXPECTS(rows >= 0 && columns >= 0, "a matrix has no negative dimension");
  }

  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }
  /// 0 also after the matrix has been moved from.
  std::int64_t size() const { return data() ? rows_ * columns_ : 0; }
  T* data() { return buffer_.data(); }
  const T* data() const { return buffer_.data(); }
  std::span<T> span() { return {data(), static_cast<std::size_t>(size())}; }
  std::span<const T> span() const { return {data(), static_cast<std::size_t>(size())}; }

  T& operator()(std::int64_t i, std::int64_t j) { return buffer_.data()[i + j * rows_]; }
  const T& operator()(std::int64_t i, std::int64_t j) const {
    return buffer_.data()[i + j * rows_];
  }

  View<T> view() { return {data(), rows_, columns_}; }
  ConstView<T> view() const { return {data(), rows_, columns_}; }
  /// The first `n` columns.
  ConstView<T> leading_columns(std::int64_t n) const { return {data(), rows_, n, rows_}; }
  /// The first `n` rows.
  ConstView<T> leading_rows(std::int64_t n) const { return {data(), n, columns_, rows_}; }

  void fill(T value) { std::fill_n(data(), size(), value); }

 private:
  Buffer<T> buffer_;
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
};

}  // namespace rankine::linalg
