// How a ScaLAPACK routine is called so that its ranks agree: before it, on the memory it needs, so
// that all ranks enter it or none; after it, on what it reported. Included by .cpp files only.
#pragma once

#include <algorithm>
#include <vector>

#include "linalg/distributed/process_grid.hpp"
#include "linalg/workspace.hpp"
#include "parallel/agreement.hpp"

namespace rankine::linalg {

/// The largest `info` of any rank, 0 or positive: what went wrong with the numbers. LibraryError,
/// on all ranks, when any rank reports an argument error. Ranks that had nothing to do say 0.
inline int agreed_info(const ProcessGrid& grid, const char* routine, int info) {
  const int lowest = grid.ranks().min(info);
  if (lowest < 0)
    throw known_to_all(grid.ranks().size(),
                       LibraryError(fmt::format("{} refused its argument {}.", routine, -lowest)));
  return grid.ranks().max(info);
}

/// What a routine may use beside its matrices. A size of -1 asks it how much it wants, which it
/// then says in the first element.
template <Scalar T>
struct Workspace {
  T* work;
  int size;
  Real<T>* real_work;  ///< of complex routines only
  int real_size;
  int* int_work;
  int int_size;
};

/// Collective over the ranks of the grid. `call` takes a Workspace and returns `info`; it runs on
/// the ranks inside the grid, first as a query. `spare` elements are added to what the routine asks
/// for: some ask for too little. Returns agreed_info; ResourceError on all ranks when memory lacks
/// on one.
template <Scalar T, class Call>
int call_with_workspace(const ProcessGrid& grid, const char* routine, std::int64_t spare,
                        Call&& call) {
  T size{};
  Real<T> real_size{};
  int int_size = 0, info = 0;
  if (grid.is_inside()) info = call(Workspace<T>{&size, -1, &real_size, -1, &int_size, -1});
  agreed_info(grid, routine, info);
  Buffer<T> work;
  Buffer<Real<T>> real_work;
  std::vector<int> int_work;
  parallel::agree_on_failure(grid.ranks(), [&] {
    if (!grid.is_inside()) return;
    work = Buffer<T>(blas_int(workspace_size(size) + spare));
    if (is_complex<T>) real_work = Buffer<Real<T>>(blas_int(workspace_size(real_size) + spare));
    int_work.resize(static_cast<std::size_t>(std::max(int_size, 0)) + 64);
  });
  if (grid.is_inside())
    info = call(Workspace<T>{work.data(), blas_int(work.size()), real_work.data(),
                             blas_int(real_work.size()), int_work.data(),
                             blas_int(std::ssize(int_work))});
  return agreed_info(grid, routine, info);
}

}  // namespace rankine::linalg
