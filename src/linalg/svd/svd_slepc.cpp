// Partial spectra by SLEPc: trlanczos and cross on an operator.
//
// Compiled twice, against the real and against the complex build of PETSc, which cannot share a
// process. Vectors of SLEPc are of its scalar type; ours are converted on the way in and out, so
// float runs in double precision and real numbers also in the complex build.
#include <fmt/format.h>
#include <slepcsvd.h>

#include <algorithm>
#include <cmath>

#include "core/errors.hpp"
#include "linalg/distributed/dist_blas.hpp"
#include "linalg/instantiate.hpp"
#include "linalg/svd/slepc_session.hpp"
#include "linalg/svd/svd_methods.hpp"

namespace rankine::linalg {

namespace {

constexpr const char* prefix = "rankine_";

void check_petsc(PetscErrorCode code, const char* call) {
  if (code == 0) return;
  const char* text = nullptr;
  PetscErrorMessage(code, &text, nullptr);
  throw LibraryError(fmt::format("{} failed in SLEPc or PETSc (code {}: {}).", call,
                                 static_cast<int>(code), text ? text : "no text"));
}

template <class Handle, PetscErrorCode (*destroy)(Handle*)>
class Owned {
 public:
  Owned() = default;
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() {
    if (std::uncaught_exceptions() == 0 && handle_) destroy(&handle_);
  }
  Handle get() const { return handle_; }
  Handle* address() { return &handle_; }

 private:
  Handle handle_ = nullptr;
};

template <Scalar T>
T from_petsc(PetscScalar value) {
  return from_complex<T>(std::complex<double>(value));
}
template <Scalar T>
PetscScalar to_petsc(T value) {
  if constexpr (std::is_same_v<PetscScalar, PetscReal>)
    return static_cast<PetscScalar>(std::real(value));
  else
    return PetscScalar(std::real(value), std::imag(value));
}

/// What the callbacks of a shell matrix need; an error in one is kept, for PETSc is C.
template <Scalar T>
struct Shell {
  const LinearOperator<T>* a;
  std::exception_ptr failure = nullptr;
};

template <Scalar T>
void fill(Vec from, DistMatrix<T>& to) {
  const PetscScalar* values = nullptr;
  check_petsc(VecGetArrayRead(from, &values), "VecGetArrayRead");
  for (std::int64_t i = 0; i < to.local().rows(); ++i) to.local()(i, 0) = from_petsc<T>(values[i]);
  check_petsc(VecRestoreArrayRead(from, &values), "VecRestoreArrayRead");
}

template <Scalar T>
void fill(const DistMatrix<T>& from, Vec to) {
  PetscScalar* values = nullptr;
  check_petsc(VecGetArrayWrite(to, &values), "VecGetArrayWrite");
  for (std::int64_t i = 0; i < from.local().rows(); ++i)
    values[i] = to_petsc<T>(from.local()(i, 0));
  check_petsc(VecRestoreArrayWrite(to, &values), "VecRestoreArrayWrite");
}

template <Scalar T, Op op>
PetscErrorCode multiply(Mat matrix, Vec x, Vec y) {
  void* context = nullptr;
  MatShellGetContext(matrix, &context);
  auto& shell = *static_cast<Shell<T>*>(context);
  try {
    const LinearOperator<T>& a = *shell.a;
    const ProcessGrid& grid = a.grid();
    const std::int64_t in_rows = op == Op::none ? a.columns() : a.rows(),
                       out_rows = op == Op::none ? a.rows() : a.columns();
    DistMatrix<T> in(grid, Distribution::row_blocks(in_rows, 1, grid.rows())),
        out(grid, Distribution::row_blocks(out_rows, 1, grid.rows()));
    fill(x, in);
    if (op == Op::transpose)
      for (T& value : in.local().span()) value = conjugate(value);
    if (op == Op::none)
      a.apply(std::as_const(in).view(), out.view());
    else
      a.apply_adjoint(std::as_const(in).view(), out.view());
    if (op == Op::transpose)
      for (T& value : out.local().span()) value = conjugate(value);
    fill(out, y);
    return 0;
  } catch (...) {
    shell.failure = std::current_exception();
    return PETSC_ERR_LIB;
  }
}

/// Options of ours alone: read by this solver, and all of them must be used.
class Options {
 public:
  explicit Options(const std::string& text) {
    check_petsc(PetscOptionsCreate(options_.address()), "PetscOptionsCreate");
    check_petsc(PetscOptionsInsertString(options_.get(), prefixed(text).c_str()),
                "PetscOptionsInsertString");
  }
  PetscOptions get() const { return options_.get(); }

  void require_all_used(int n_ranks) const {
    PetscInt count = 0;
    char **names = nullptr, **values = nullptr;
    check_petsc(PetscOptionsLeftGet(options_.get(), &count, &names, &values),
                "PetscOptionsLeftGet");
    std::string unused;
    for (PetscInt k = 0; k < count; ++k)
      unused += fmt::format("{}-{}", unused.empty() ? "" : ", ",
                            std::string_view(names[k]).substr(std::string_view(prefix).size()));
    check_petsc(PetscOptionsLeftRestore(options_.get(), &count, &names, &values),
                "PetscOptionsLeftRestore");
    if (!unused.empty())
      throw known_to_all(n_ranks, InputError(fmt::format(
                                      "linalg.slepc_options holds what nothing used: {}. Correct "
                                      "or remove it; SLEPc's manual lists the options of SVD.",
                                      unused)));
  }

 private:
  /// "-svd_ncv 200" becomes "-rankine_svd_ncv 200"; numbers such as -1 stay.
  static std::string prefixed(const std::string& text) {
    std::string out;
    for (std::size_t k = 0; k < text.size(); ++k) {
      out += text[k];
      const bool begins = text[k] == '-' && (k == 0 || text[k - 1] == ' ');
      if (begins && k + 1 < text.size() && std::isalpha(static_cast<unsigned char>(text[k + 1])))
        out += prefix;
    }
    return out;
  }

  Owned<PetscOptions, PetscOptionsDestroy> options_;
};

template <Scalar T>
class SlepcSvd {
 public:
  SlepcSvd(const LinearOperator<T>& a, std::int64_t wanted, const SvdOptions& options)
      : shell_{&a}, options_(options.slepc_options) {
    const Axis rows = Axis::contiguous(a.rows(), a.grid().rows()),
               columns = Axis::contiguous(a.columns(), a.grid().rows());
    const int me = a.grid().row();
    const MPI_Comm handle = a.grid().ranks().handle();
    check_petsc(MatCreateShell(handle, static_cast<PetscInt>(rows.local_size(me)),
                               static_cast<PetscInt>(columns.local_size(me)),
                               static_cast<PetscInt>(a.rows()), static_cast<PetscInt>(a.columns()),
                               &shell_, matrix_.address()),
                "MatCreateShell");
    set_operation(MATOP_MULT, multiply<T, Op::none>);
    set_operation(MATOP_MULT_TRANSPOSE, multiply<T, Op::transpose>);
    set_operation(MATOP_MULT_HERMITIAN_TRANSPOSE, multiply<T, Op::adjoint>);
    check_petsc(SVDCreate(handle, svd_.address()), "SVDCreate");
    check_petsc(PetscObjectSetOptions(reinterpret_cast<PetscObject>(svd_.get()), options_.get()),
                "PetscObjectSetOptions");
    check_petsc(SVDSetOptionsPrefix(svd_.get(), prefix), "SVDSetOptionsPrefix");
    check_petsc(SVDSetOperators(svd_.get(), matrix_.get(), nullptr), "SVDSetOperators");
    check_petsc(SVDSetImplicitTranspose(svd_.get(), PETSC_TRUE), "SVDSetImplicitTranspose");
    check_petsc(
        SVDSetType(svd_.get(), options.method == SvdMethod::cross ? SVDCROSS : SVDTRLANCZOS),
        "SVDSetType");
    check_petsc(
        SVDSetDimensions(svd_.get(), static_cast<PetscInt>(wanted), PETSC_DEFAULT, PETSC_DEFAULT),
        "SVDSetDimensions");
    check_petsc(SVDSetTolerances(svd_.get(), options.tolerance, PETSC_DEFAULT), "SVDSetTolerances");
    check_petsc(SVDSetFromOptions(svd_.get()), "SVDSetFromOptions");
  }

  /// Solves and returns how many of the wanted triplets converged: all, or an error.
  void solve(std::int64_t wanted) {
    const int n_ranks = shell_.a->grid().ranks().size();
    try_memory(wanted);
    const PetscErrorCode code = SVDSolve(svd_.get());
    if (shell_.failure) std::rethrow_exception(shell_.failure);
    check_petsc(code, "SVDSolve");
    options_.require_all_used(n_ranks);
    PetscInt converged = 0, iterations = 0;
    SVDConvergedReason reason = SVD_CONVERGED_ITERATING;
    check_petsc(SVDGetConverged(svd_.get(), &converged), "SVDGetConverged");
    check_petsc(SVDGetIterationNumber(svd_.get(), &iterations), "SVDGetIterationNumber");
    check_petsc(SVDGetConvergedReason(svd_.get(), &reason), "SVDGetConvergedReason");
    if (reason < 0 || converged < wanted)
      throw known_to_all(
          n_ranks, NumericalError(fmt::format(
                       "SLEPc found {} of {} singular triplets of a {} x {} matrix in {} "
                       "iterations. Raise linalg.svd_tolerance, give -svd_max_it or -svd_ncv in "
                       "linalg.slepc_options, or take svd_method \"gram\".",
                       converged, wanted, shell_.a->rows(), shell_.a->columns(), iterations)));
  }

  DistSvd<T> triplets(std::int64_t count) {
    const ProcessGrid& grid = shell_.a->grid();
    DistSvd<T> found{
        DistMatrix<T>(grid, Distribution::row_blocks(shell_.a->rows(), count, grid.rows())),
        DistMatrix<T>(grid, Distribution::row_blocks(shell_.a->columns(), count, grid.rows()))};
    Owned<Vec, VecDestroy> u, v;
    check_petsc(MatCreateVecs(matrix_.get(), v.address(), u.address()), "MatCreateVecs");
    double residuals = 0;
    for (std::int64_t k = 0; k < count; ++k) {
      PetscReal sigma = 0, error = 0;
      check_petsc(
          SVDGetSingularTriplet(svd_.get(), static_cast<PetscInt>(k), &sigma, u.get(), v.get()),
          "SVDGetSingularTriplet");
      check_petsc(SVDComputeError(svd_.get(), static_cast<PetscInt>(k), SVD_ERROR_ABSOLUTE, &error),
                  "SVDComputeError");
      residuals += error * error;
      found.singular_values.push_back(static_cast<Real<T>>(sigma));
      take(u.get(), found.u, k);
      take(v.get(), found.v, k);
    }
    found.residual = std::sqrt(residuals);
    return found;
  }

 private:
  /// SLEPc allocates its bases itself, and stops on the one rank where that fails: so all ranks try
  /// first whether there is as much.
  void try_memory(std::int64_t wanted) const {
    PetscInt vectors = 0;
    check_petsc(SVDGetDimensions(svd_.get(), nullptr, &vectors, nullptr), "SVDGetDimensions");
    const std::int64_t by_default = std::max<std::int64_t>(2 * wanted, wanted + 15);
    const ProcessGrid& grid = shell_.a->grid();
    const std::int64_t rows =
                           Axis::contiguous(shell_.a->rows(), grid.rows()).local_size(grid.row()),
                       columns = Axis::contiguous(shell_.a->columns(), grid.rows())
                                     .local_size(grid.row());
    constexpr std::int64_t doubles = sizeof(PetscScalar) / sizeof(double);
    parallel::agree_on_failure(grid.ranks(), [&] {
      const Buffer<double> trial((rows + columns) * doubles *
                                 std::max<std::int64_t>(vectors, by_default));
    });
  }

  template <class Function>
  void set_operation(MatOperation operation, Function function) {
    check_petsc(
        MatShellSetOperation(matrix_.get(), operation, reinterpret_cast<void (*)(void)>(function)),
        "MatShellSetOperation");
  }

  static void take(Vec from, DistMatrix<T>& to, std::int64_t column) {
    const PetscScalar* values = nullptr;
    check_petsc(VecGetArrayRead(from, &values), "VecGetArrayRead");
    for (std::int64_t i = 0; i < to.local().rows(); ++i)
      to.local()(i, column) = from_petsc<T>(values[i]);
    check_petsc(VecRestoreArrayRead(from, &values), "VecRestoreArrayRead");
  }

  Shell<T> shell_;
  Options options_;
  Owned<Mat, MatDestroy> matrix_;
  Owned<SVD, SVDDestroy> svd_;
};

}  // namespace

template <Scalar T>
DistSvd<T> svd_slepc(const LinearOperator<T>& a, const Truncation& truncation,
                     const SvdOptions& options) {
  if constexpr (is_complex<T> && std::is_same_v<PetscScalar, PetscReal>) {
    throw known_to_all(
        a.grid().ranks().size(),
        LibraryError("this program holds the real build of SLEPc, which cannot factorise complex "
                     "matrices. Take linalg.svd_method \"randomized\"."));
  } else {
    require_slepc_session(a.grid().ranks().size());
    const std::int64_t wanted = std::min({truncation.max_rank, a.rows(), a.columns()});
    SlepcSvd<T> solver(a, wanted, options);
    solver.solve(wanted);
    return solver.triplets(wanted);
  }
}

#define RANKINE_SVD_SLEPC(T) \
  template DistSvd<T> svd_slepc<T>(const LinearOperator<T>&, const Truncation&, const SvdOptions&);
RANKINE_FOR_EACH_SCALAR(RANKINE_SVD_SLEPC)
#undef RANKINE_SVD_SLEPC

}  // namespace rankine::linalg
