#include "linalg/distributed/process_grid.hpp"

#include <fmt/format.h>

#include <exception>
#include <vector>

#include "core/contracts.hpp"
#include "core/errors.hpp"
#include "core/profile.hpp"

extern "C" {
int Csys2blacs_handle(MPI_Comm);
void Cfree_blacs_system_handle(int);
void Cblacs_gridmap(int*, int*, int, int, int);
void Cblacs_gridinfo(int, int*, int*, int*, int*);
void Cblacs_gridexit(int);
}

namespace rankine::linalg {

ProcessGrid::ProcessGrid(const parallel::Communicator& ranks, int rows, int columns)
    : ranks_(ranks.duplicate()), rows_(rows), columns_(columns) {
  RANKINE_EXPECTS(rows >= 1 && columns >= 1 && rows * columns <= ranks.size(),
                  "a grid has no more places than ranks");
  count_unknown_flops();                                           // ScaLAPACK's
  std::vector<int> map(static_cast<std::size_t>(rows * columns));  // column-major, as BLACS wants
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c) map[static_cast<std::size_t>(c * rows + r)] = rank_of(r, c);
  system_ = Csys2blacs_handle(ranks_.handle());
  context_ = system_;
  Cblacs_gridmap(&context_, map.data(), rows, rows, columns);
  const bool inside = ranks_.rank() < rows * columns;
  if (!inside) context_ = -1;
  if (context_ >= 0) {
    int grid_rows = 0, grid_columns = 0;
    Cblacs_gridinfo(context_, &grid_rows, &grid_columns, &row_, &column_);
  }
  if (ranks_.min(inside == (row_ >= 0) ? 1 : 0) == 0)
    throw known_to_all(ranks_.size(),
                       LibraryError(fmt::format("BLACS made no grid of {} x {} ranks. Please "
                                                "report this as a defect.",
                                                rows, columns)));
}

ProcessGrid::~ProcessGrid() {
  // Freeing communicates: not while the other ranks may be elsewhere.
  if (std::uncaught_exceptions() > 0) return;
  if (context_ >= 0) Cblacs_gridexit(context_);
  if (system_ >= 0) Cfree_blacs_system_handle(system_);
}

GridShape squarest(int ranks) {
  int rows = 1;
  for (int candidate = 1; candidate * candidate <= ranks; ++candidate)
    if (ranks % candidate == 0) rows = candidate;
  return {rows, ranks / rows};
}

}  // namespace rankine::linalg
