// Stands in for slepc_session.cpp and svd_slepc.cpp in a build without SLEPc (RANKINE_SLEPC=OFF):
// no session takes numbers, so "automatic" never chooses SLEPc's methods, and who asks for one by
// name is told.
#include "core/errors.hpp"
#include "linalg/instantiate.hpp"
#include "linalg/svd/slepc_session.hpp"
#include "linalg/svd/svd_methods.hpp"

namespace rankine::linalg {

SlepcSession::SlepcSession(const parallel::Communicator&) {}
SlepcSession::~SlepcSession() = default;

bool slepc_takes(Numbers) { return false; }

void require_slepc_session(int n_ranks) {
  throw known_to_all(
      n_ranks,
      InputError("the methods \"trlanczos\" and \"cross\" are SLEPc's, and this program was "
                 "built without it. Take \"automatic\" or \"randomized\", or build with "
                 "-D RANKINE_SLEPC=ON."));
}

std::string slepc_version() { return "none"; }

template <Scalar T>
DistSvd<T> svd_slepc(const LinearOperator<T>& a, const Truncation&, const SvdOptions&) {
  require_slepc_session(a.grid().ranks().size());
  return {};
}

#define RANKINE_SVD_SLEPC(T) \
  template DistSvd<T> svd_slepc<T>(const LinearOperator<T>&, const Truncation&, const SvdOptions&);
RANKINE_FOR_EACH_SCALAR(RANKINE_SVD_SLEPC)
#undef RANKINE_SVD_SLEPC

}  // namespace rankine::linalg
