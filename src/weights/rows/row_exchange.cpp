#include "weights/rows/row_exchange.hpp"

#include <algorithm>
#include <span>

#include "core/contracts.hpp"
#include "parallel/agreement.hpp"
#include "weights/rows/element_type.hpp"

namespace rankine::weights {

using linalg::DistMatrix;
using linalg::DistView;
using linalg::ProcessGrid;
using parallel::Communicator;
using torch::Tensor;

namespace {

RowRange intersection(RowRange a, RowRange b) {
  const std::int64_t first = std::max(a.first, b.first);
  return {first, std::max<std::int64_t>(0, std::min(a.end(), b.end()) - first)};
}

bool are_disjoint(const std::vector<RowRange>& ranges) {
  for (std::size_t a = 0; a < ranges.size(); ++a)
    for (std::size_t b = 0; b < a; ++b)
      if (intersection(ranges[a], ranges[b]).count > 0) return false;
  return true;
}

template <class T>
std::span<T> rows_of(const Tensor& matrix, std::int64_t first, std::int64_t count) {
  return {matrix.data_ptr<std::remove_const_t<T>>() + first * matrix.size(1),
          static_cast<std::size_t>(count * matrix.size(1))};
}

/// Rows that one rank alone holds arrive in place, others by way of a buffer for each rank.
template <class T>
void exchange(const Communicator& ranks, const Tensor& own, RowRange held,
              const std::vector<RowRange>& all_held, const std::vector<RowRange>& all_wanted,
              const Tensor& result) {
  const RowRange wanted = all_wanted[static_cast<std::size_t>(ranks.rank())];
  std::vector<std::span<const T>> sent;
  for (const RowRange& theirs : all_wanted) {
    const RowRange rows = intersection(held, theirs);
    sent.push_back(rows_of<const T>(own, rows.count > 0 ? rows.first - held.first : 0, rows.count));
  }
  std::vector<RowRange> parts;
  for (const RowRange& theirs : all_held) parts.push_back(intersection(wanted, theirs));
  const bool in_place = are_disjoint(parts);
  std::vector<Tensor> arrived = parallel::agree_on_failure(ranks, [&] {
    std::vector<Tensor> buffers;
    for (const RowRange& rows : parts)
      buffers.push_back(in_place && rows.count > 0
                            ? result.narrow(0, rows.first - wanted.first, rows.count)
                            : torch::empty({rows.count, result.size(1)}, result.options()));
    return buffers;
  });
  std::vector<std::span<T>> received;
  for (std::size_t rank = 0; rank < parts.size(); ++rank)
    received.push_back(rows_of<T>(arrived[rank], 0, parts[rank].count));
  ranks.exchange<T>(sent, received);
  if (in_place) return;
  for (std::size_t rank = 0; rank < parts.size(); ++rank)
    if (parts[rank].count > 0)
      result.narrow(0, parts[rank].first - wanted.first, parts[rank].count).add_(arrived[rank]);
}

/// What one rank sends to or gets from another one: elements of these rows and columns.
struct Message {
  std::vector<std::int64_t> rows;
  std::vector<std::int64_t> columns;

  std::size_t size() const { return rows.size() * columns.size(); }
};

template <class T>
std::vector<std::vector<T>> buffers_for(const std::vector<Message>& messages) {
  std::vector<std::vector<T>> buffers;
  for (const Message& message : messages) buffers.emplace_back(message.size());
  return buffers;
}

/// Sends read(i, j) of all elements of `outgoing`, and calls write(i, j, value) for those of
/// `incoming`; one message for each rank.
template <class T, class Read, class Write>
void move(const Communicator& ranks, const std::vector<Message>& outgoing,
          const std::vector<Message>& incoming, Read&& read, Write&& write) {
  std::vector<std::vector<T>> packed, arrived;
  parallel::agree_on_failure(ranks, [&] {
    packed = buffers_for<T>(outgoing);
    arrived = buffers_for<T>(incoming);
  });
  for (std::size_t rank = 0; rank < outgoing.size(); ++rank) {
    auto next = packed[rank].begin();
    for (const std::int64_t i : outgoing[rank].rows)
      for (const std::int64_t j : outgoing[rank].columns) *next++ = read(i, j);
  }
  const std::vector<std::span<const T>> sent(packed.begin(), packed.end());
  const std::vector<std::span<T>> received(arrived.begin(), arrived.end());
  ranks.exchange<T>(sent, received);
  for (std::size_t rank = 0; rank < incoming.size(); ++rank) {
    auto next = arrived[rank].begin();
    for (const std::int64_t i : incoming[rank].rows)
      for (const std::int64_t j : incoming[rank].columns) write(i, j, *next++);
  }
}

/// Which indices of [first, first + count) a part of the axis owns, ascending; none outside.
std::vector<std::int64_t> owned(const linalg::Axis& axis, int part, RowRange range) {
  std::vector<std::int64_t> indices;
  if (part < 0) return indices;
  for (std::int64_t l = axis.local_count(part, range.first);
       l < axis.local_count(part, range.end()); ++l)
    indices.push_back(axis.global(part, l));
  return indices;
}

/// Row and column of a rank in a grid; -1 outside.
struct GridPlace {
  int row = -1;
  int column = -1;

  GridPlace(const ProcessGrid& grid, int rank) {
    if (rank >= grid.rows() * grid.columns()) return;
    row = rank / grid.columns();
    column = rank % grid.columns();
  }
};

}  // namespace

Tensor exchange_rows(const Communicator& ranks, const Tensor& own, RowRange held, RowRange wanted) {
  RANKINE_EXPECTS(own.dim() == 2 && own.size(0) == held.count, "the rows held are given");
  const auto all_held = ranks.all_gather(std::span<const RowRange>(&held, 1));
  const auto all_wanted = ranks.all_gather(std::span<const RowRange>(&wanted, 1));
  const Tensor mine = own.detach().contiguous();
  const Tensor result = parallel::agree_on_failure(ranks, [&] {
    return torch::zeros({wanted.count, own.size(1)}, mine.options());
  });
  with_element_type(
      mine, [&]<class T>(T) { exchange<T>(ranks, mine, held, all_held, all_wanted, result); });
  return result;
}

template <class T>
void spread_rows(const Tensor& own, RowRange held, DistMatrix<T>& target) {
  RANKINE_EXPECTS(own.dim() == 2 && own.size(0) == held.count && own.size(1) == target.columns(),
                  "the rows held are given");
  const ProcessGrid& grid = target.grid();
  const Communicator& ranks = grid.ranks();
  const linalg::Axis &rows = target.distribution().rows(),
                     &columns = target.distribution().columns();
  const RowRange all_columns{0, columns.size()};
  std::vector<Message> outgoing, incoming;
  for (const RowRange& theirs : ranks.all_gather(std::span<const RowRange>(&held, 1))) {
    const GridPlace there(grid, static_cast<int>(outgoing.size()));
    outgoing.push_back({owned(rows, there.row, held), owned(columns, there.column, all_columns)});
    incoming.push_back(
        {owned(rows, grid.row(), theirs), owned(columns, grid.column(), all_columns)});
  }
  target.local().fill(T{});
  const Tensor mine = own.detach().contiguous();
  with_element_type(mine, [&]<class Value>(Value) {
    const Value* values = mine.data_ptr<Value>();
    move<T>(
        ranks, outgoing, incoming,
        [&](std::int64_t i, std::int64_t j) {
          return static_cast<T>(values[(i - held.first) * columns.size() + j]);
        },
        [&](std::int64_t i, std::int64_t j, T value) {
          target.local()(rows.local(i), columns.local(j)) += value;
        });
  });
}

template <class T>
Tensor collect_rows(DistView<const T> source, RowRange wanted,
                    const std::vector<std::int64_t>& places) {
  RANKINE_EXPECTS(source.row == 0 && source.column == 0, "a leading part of a matrix");
  const ProcessGrid& grid = *source.grid;
  const Communicator& ranks = grid.ranks();
  const linalg::Axis &rows = source.distribution.rows(), &columns = source.distribution.columns();
  const auto place_of = [&](std::int64_t i) {
    return places.empty() ? i : places[static_cast<std::size_t>(i)];
  };
  const auto placed_in = [&](int part, RowRange range) {
    std::vector<std::int64_t> chosen = owned(rows, part, {0, source.rows});
    std::erase_if(chosen, [&](std::int64_t i) {
      return place_of(i) < range.first || place_of(i) >= range.end();
    });
    return chosen;
  };
  const RowRange all_columns{0, source.columns};
  std::vector<Message> outgoing, incoming;
  for (const RowRange& theirs : ranks.all_gather(std::span<const RowRange>(&wanted, 1))) {
    const GridPlace there(grid, static_cast<int>(outgoing.size()));
    outgoing.push_back({placed_in(grid.row(), theirs), owned(columns, grid.column(), all_columns)});
    incoming.push_back({placed_in(there.row, wanted), owned(columns, there.column, all_columns)});
  }
  const Tensor result = parallel::agree_on_failure(ranks, [&] {
    return torch::zeros({wanted.count, source.columns}, c10::CppTypeToScalarType<T>::value);
  });
  T* values = result.template data_ptr<T>();
  move<T>(
      ranks, outgoing, incoming,
      [&](std::int64_t i, std::int64_t j) { return source.local(rows.local(i), columns.local(j)); },
      [&](std::int64_t i, std::int64_t j, T value) {
        values[(place_of(i) - wanted.first) * source.columns + j] = value;
      });
  return result;
}

template void spread_rows<float>(const Tensor&, RowRange, DistMatrix<float>&);
template void spread_rows<double>(const Tensor&, RowRange, DistMatrix<double>&);
template Tensor collect_rows<float>(DistView<const float>, RowRange,
                                    const std::vector<std::int64_t>&);
template Tensor collect_rows<double>(DistView<const double>, RowRange,
                                     const std::vector<std::int64_t>&);

}  // namespace rankine::weights
