#include "gpeps/measurement/state_view.hpp"

#include "gpeps/measurement/cluster_contraction.hpp"
#include "gpeps/measurement/site_expectations.hpp"

namespace rankine::gpeps {

using linalg::Scalar;

template <Scalar T>
double NetworkView<T>::site_expectation(int site, const circuit::Operator& op) const {
  return gpeps::site_expectation(state_, site, op);
}

template <Scalar T>
std::vector<double> NetworkView<T>::site_expectations(const circuit::Operator& op) const {
  return gpeps::site_expectations(state_, op);
}

template <Scalar T>
double NetworkView<T>::cluster_expectation(const lattice::Cluster& cluster,
                                           const circuit::PauliString& string) const {
  return gpeps::cluster_expectation(state_, cluster, string);
}

template <Scalar T>
std::vector<double> NetworkView<T>::loop_errors(const std::vector<ClusterValue>& values) const {
  return gpeps::loop_errors(state_, values, estimate_flops_);
}

template class NetworkView<std::complex<float>>;
template class NetworkView<std::complex<double>>;

}  // namespace rankine::gpeps
