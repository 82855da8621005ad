#include "linalg/distributed/redistribute.hpp"

#include <vector>

#include "linalg/instantiate.hpp"

namespace rankine::linalg {

namespace {

/// One end of the move as every rank can compute with it: plain numbers, sent to all.
struct Layout {
  Axis rows, columns;
  std::int64_t row = 0, column = 0;          ///< where the rectangle begins
  std::int64_t n_rows = -1, n_columns = -1;  ///< its shape; negative: not on this rank
  int grid_row = -1, grid_column = -1;       ///< of the rank that says it

  std::int64_t row_owner(std::int64_t i) const { return rows.owner(row + i); }
  std::int64_t column_owner(std::int64_t j) const { return columns.owner(column + j); }
};

template <class T>
struct Side {
  Layout layout;
  View<T> local;
};

template <class T>
Side<T> side_of(const DistView<T>& view) {
  if (!view.grid) return {};
  return {{view.distribution.rows(), view.distribution.columns(), view.row, view.column, view.rows,
           view.columns, view.grid->row(), view.grid->column()},
          view.local};
}

/// Indices, counted from `first`, below `count`, that `part` owns.
std::vector<std::int64_t> owned(const Axis& axis, int part, std::int64_t first,
                                std::int64_t count) {
  std::vector<std::int64_t> indices;
  if (part < 0) return indices;
  const std::int64_t end = axis.local_count(part, first + count);
  for (std::int64_t l = axis.local_count(part, first); l < end; ++l)
    indices.push_back(axis.global(part, l) - first);
  return indices;
}

template <class Owner>
std::vector<std::vector<std::int64_t>> sorted_by_owner(const std::vector<std::int64_t>& indices,
                                                       int parts, Owner&& owner) {
  std::vector<std::vector<std::int64_t>> sorted(static_cast<std::size_t>(parts));
  for (const std::int64_t index : indices)
    sorted[static_cast<std::size_t>(owner(index))].push_back(index);
  return sorted;
}

/// The layout of the first rank that has one.
const Layout& known_layout(const std::vector<Layout>& all) {
  for (const Layout& layout : all)
    if (layout.n_rows >= 0) return layout;
  return all.front();
}

/// The messages of one side, one per rank: which source rows and columns each holds.
struct Selection {
  const std::vector<std::int64_t>* rows = nullptr;
  const std::vector<std::int64_t>* columns = nullptr;
  std::int64_t count() const { return rows ? std::ssize(*rows) * std::ssize(*columns) : 0; }
};

/// What this rank sends to and gets from each rank, with all its memory.
template <Scalar T>
struct Messages {
  /// Indices I have, by the part of the target that wants them; those I get, by who has them.
  std::vector<std::vector<std::int64_t>> rows_out, columns_out, rows_in, columns_in;
  std::vector<Selection> out, in;
  std::vector<Buffer<T>> packed, arrived;
  std::vector<std::span<const T>> sent;
  std::vector<std::span<T>> received;
};

/// Where the rectangle begins and ends: layouts of all ranks, and one that knows its own shape.
struct Ends {
  std::vector<Layout> sources, targets;
  const Layout &from = known_layout(sources), &to = known_layout(targets);
};

template <Scalar T>
Messages<T> plan_messages(const Ends& ends, bool turned, const Layout& me, const Layout& target) {
  const Layout &from = ends.from, &to = ends.to;
  const auto row_target = [&](std::int64_t i) {
    return turned ? to.column_owner(i) : to.row_owner(i);
  };
  const auto column_target = [&](std::int64_t j) {
    return turned ? to.row_owner(j) : to.column_owner(j);
  };
  const int row_parts = turned ? to.columns.parts() : to.rows.parts(),
            column_parts = turned ? to.rows.parts() : to.columns.parts();
  const auto target_rows = owned(to.rows, target.grid_row, to.row, to.n_rows),
             target_columns = owned(to.columns, target.grid_column, to.column, to.n_columns);
  Messages<T> plan;
  plan.rows_out =
      sorted_by_owner(owned(from.rows, me.grid_row, from.row, from.n_rows), row_parts, row_target);
  plan.columns_out =
      sorted_by_owner(owned(from.columns, me.grid_column, from.column, from.n_columns),
                      column_parts, column_target);
  plan.rows_in = sorted_by_owner(turned ? target_columns : target_rows, from.rows.parts(),
                                 [&](std::int64_t i) { return from.row_owner(i); });
  plan.columns_in = sorted_by_owner(turned ? target_rows : target_columns, from.columns.parts(),
                                    [&](std::int64_t j) { return from.column_owner(j); });
  const std::size_t n_ranks = ends.sources.size();
  plan.out.resize(n_ranks);
  plan.in.resize(n_ranks);
  for (std::size_t rank = 0; rank < n_ranks; ++rank) {
    const Layout &s = ends.sources[rank], &t = ends.targets[rank];
    if (me.grid_row >= 0 && t.grid_row >= 0)
      plan.out[rank] = {
          &plan.rows_out[static_cast<std::size_t>(turned ? t.grid_column : t.grid_row)],
          &plan.columns_out[static_cast<std::size_t>(turned ? t.grid_row : t.grid_column)]};
    if (target.grid_row >= 0 && s.grid_row >= 0)
      plan.in[rank] = {&plan.rows_in[static_cast<std::size_t>(s.grid_row)],
                       &plan.columns_in[static_cast<std::size_t>(s.grid_column)]};
    plan.packed.emplace_back(plan.out[rank].count());
    plan.arrived.emplace_back(plan.in[rank].count());
    plan.sent.push_back(std::as_const(plan.packed.back()).span());
    plan.received.push_back(plan.arrived.back().span());
  }
  return plan;
}

/// Moves the rectangle; rows and columns of messages are those of the source, in column-major
/// order. Collective over `both`.
template <Scalar T>
void move(const parallel::Communicator& both, Op op, const Side<const T>& source,
          const Side<T>& target) {
  const Ends ends{both.all_gather(std::span(&source.layout, 1)),
                  both.all_gather(std::span(&target.layout, 1))};
  const Layout &from = ends.from, &to = ends.to;
  const bool turned = op != Op::none;
  RANKINE_EXPECTS(from.n_rows == (turned ? to.n_columns : to.n_rows) &&
                      from.n_columns == (turned ? to.n_rows : to.n_columns),
                  "source and target of a redistribution have the same shape");
  Messages<T> plan = parallel::agree_on_failure(
      both, [&] { return plan_messages<T>(ends, turned, source.layout, target.layout); });
  for (std::size_t rank = 0; rank < plan.out.size(); ++rank) {
    if (!plan.out[rank].rows) continue;
    T* next = plan.packed[rank].data();
    for (const std::int64_t j : *plan.out[rank].columns) {
      const T* column =
          source.local.data + from.columns.local(from.column + j) * source.local.leading;
      for (const std::int64_t i : *plan.out[rank].rows)
        *next++ = column[from.rows.local(from.row + i)];
    }
  }
  both.exchange<T>(plan.sent, plan.received);
  for (std::size_t rank = 0; rank < plan.in.size(); ++rank) {
    if (!plan.in[rank].rows) continue;
    const T* next = plan.arrived[rank].data();
    for (const std::int64_t j : *plan.in[rank].columns)
      for (const std::int64_t i : *plan.in[rank].rows) {
        const T value = op == Op::adjoint ? conjugate(*next++) : *next++;
        if (turned)
          target.local(to.rows.local(to.row + j), to.columns.local(to.column + i)) = value;
        else
          target.local(to.rows.local(to.row + i), to.columns.local(to.column + j)) = value;
      }
  }
}

/// A whole matrix on one rank.
template <class T>
Side<T> undivided(View<T> whole, std::int64_t rows, std::int64_t columns, bool mine) {
  Layout layout{Axis::contiguous(rows, 1), Axis::contiguous(columns, 1), 0, 0, rows, columns};
  if (mine) layout.grid_row = layout.grid_column = 0;
  return {layout, whole};
}

}  // namespace

template <Scalar T>
void redistribute(const parallel::Communicator& both, Op op,
                  DistView<const std::type_identity_t<T>> source, DistView<T> target) {
  move<T>(both, op, side_of(source), side_of(target));
}

template <Scalar T>
Matrix<T> gather(DistView<const T> source, int root) {
  const parallel::Communicator& ranks = source.grid->ranks();
  const bool mine = ranks.rank() == root;
  auto whole = parallel::agree_on_failure(
      ranks, [&] { return mine ? Matrix<T>(source.rows, source.columns) : Matrix<T>(); });
  move<T>(ranks, Op::none, side_of(source),
          undivided(whole.view(), source.rows, source.columns, mine));
  return whole;
}

template <Scalar T>
Matrix<T> all_gather(DistView<const T> source) {
  const parallel::Communicator& ranks = source.grid->ranks();
  Matrix<T> whole = gather(source, 0);
  parallel::agree_on_failure(ranks, [&] {
    if (ranks.rank() != 0) whole = Matrix<T>(source.rows, source.columns);
  });
  ranks.broadcast(whole.span(), 0);
  return whole;
}

template <Scalar T>
void scatter(ConstView<std::type_identity_t<T>> whole, int root, DistView<T> target) {
  const parallel::Communicator& ranks = target.grid->ranks();
  move<T>(ranks, Op::none,
          undivided<const T>(whole, target.rows, target.columns, ranks.rank() == root),
          side_of(target));
}

#define RANKINE_REDISTRIBUTE(T)                                                        \
  template void redistribute<T>(const parallel::Communicator&, Op,                     \
                                DistView<const std::type_identity_t<T>>, DistView<T>); \
  template Matrix<T> gather<T>(DistView<const T>, int);                                \
  template Matrix<T> all_gather<T>(DistView<const T>);                                 \
  template void scatter<T>(ConstView<std::type_identity_t<T>>, int, DistView<T>);
RANKINE_FOR_EACH_SCALAR(RANKINE_REDISTRIBUTE)
#undef RANKINE_REDISTRIBUTE

}  // namespace rankine::linalg
