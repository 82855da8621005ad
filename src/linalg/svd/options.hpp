// How truncated SVDs are computed: the deck's [linalg] section and the cost model behind the
// automatic choice.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "deck/schema.hpp"

namespace rankine::linalg {

enum class SvdMethod { automatic, lapack, scalapack, gram, randomized, trlanczos, cross };

/// The deck's name of a method.
std::string_view name(SvdMethod method);
/// InputError when there is none of this name.
SvdMethod svd_method(std::string_view name);
/// Every name, "automatic" first.
std::vector<std::string> svd_method_names();

/// Rates of this kind of machine in double precision, one BLAS thread a rank; single precision
/// counts as twice as fast, complex numbers as four times the work. `rankine-bench linalg` measures
/// them.
struct CostModel {
  double gemm_rate = 50;   ///< GFlop/s of one rank in large matrix products
  double eigen_rate = 18;  ///< 4 n^3 / time of a Hermitian eigenproblem on one rank, GFlop/s
  double lapack_rate = 9;  ///< 4 m n k / time of LAPACK's SVD on one rank, GFlop/s
  double latency = 2e-4;   ///< seconds to begin a distributed step
};

struct SvdOptions {
  SvdMethod method = SvdMethod::automatic;
  /// Largest error of a singular value, relative to the largest one, that Krylov methods may leave.
  double tolerance = 1e-10;
  /// SLEPc's own options, such as "-svd_ncv 200".
  std::string slepc_options = {};
  CostModel cost = {};
};

/// The deck's form of SvdOptions, read once by a program.
struct LinalgOptions {
  std::string svd_method = "automatic";
  double svd_tolerance = 1e-10;
  std::string slepc_options;
  CostModel cost;

  SvdOptions svd() const;
};

/// Declares the section [linalg].
void declare_keywords(deck::Schema& schema, LinalgOptions& options);

}  // namespace rankine::linalg
