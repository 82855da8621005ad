#include "linalg/svd/options.hpp"

#include <fmt/format.h>

#include <array>

#include "core/errors.hpp"

namespace rankine::linalg {

namespace {

struct Named {
  SvdMethod method;
  std::string_view name;
};
constexpr std::array names{Named{SvdMethod::automatic, "automatic"},
                           Named{SvdMethod::lapack, "lapack"},
                           Named{SvdMethod::scalapack, "scalapack"},
                           Named{SvdMethod::gram, "gram"},
                           Named{SvdMethod::randomized, "randomized"},
                           Named{SvdMethod::trlanczos, "trlanczos"},
                           Named{SvdMethod::cross, "cross"}};

}  // namespace

std::string_view name(SvdMethod method) {
  for (const Named& named : names)
    if (named.method == method) return named.name;
  return "unknown";
}

SvdMethod svd_method(std::string_view wanted) {
  for (const Named& named : names)
    if (named.name == wanted) return named.method;
  throw InputError(
      fmt::format("there is no SVD method \"{}\". Take one of linalg.svd_method's "
                  "choices.",
                  wanted));
}

std::vector<std::string> svd_method_names() {
  std::vector<std::string> all;
  for (const Named& named : names) all.emplace_back(named.name);
  return all;
}

SvdOptions LinalgOptions::svd() const {
  return {.method = linalg::svd_method(svd_method),
          .tolerance = svd_tolerance,
          .slepc_options = slepc_options,
          .cost = cost};
}

void declare_keywords(deck::Schema& schema, LinalgOptions& options) {
  auto section = schema.section("linalg", "How truncated factorisations are computed.");
  section.keyword("svd_method", options.svd_method)
      .choices(svd_method_names())
      .describe(
          "Method of distributed singular value decompositions; automatic takes the one the cost "
          "model expects to be fastest.");
  section.keyword("svd_tolerance", options.svd_tolerance)
      .above(0)
      .at_most(1e-2)
      .describe(
          "Largest error of a singular value, relative to the largest, that the methods "
          "randomized, "
          "trlanczos and cross may leave.");
  section.keyword("slepc_options", options.slepc_options)
      .describe(
          "Options for SLEPc, such as \"-svd_ncv 200\"; an option that nothing uses is an error.");
  section.keyword("gemm_rate", options.cost.gemm_rate)
      .above(0)
      .unit("GFlop/s")
      .describe("Cost model: matrix products on one rank; rankine-bench linalg measures it.");
  section.keyword("eigen_rate", options.cost.eigen_rate)
      .above(0)
      .unit("GFlop/s")
      .describe("Cost model: Hermitian eigenproblems on one rank, counted as 4 n^3.");
  section.keyword("lapack_rate", options.cost.lapack_rate)
      .above(0)
      .unit("GFlop/s")
      .describe("Cost model: LAPACK's SVD on one rank, counted as 4 m n min(m, n).");
  section.keyword("latency", options.cost.latency)
      .above(0)
      .unit("s")
      .describe("Cost model: time to begin one distributed step.");
}

}  // namespace rankine::linalg
