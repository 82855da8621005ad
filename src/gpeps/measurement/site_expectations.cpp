#include "gpeps/measurement/site_expectations.hpp"

#include "parallel/agreement.hpp"

namespace rankine::gpeps {

using linalg::Scalar;

template <Scalar T>
std::vector<double> site_expectations(const Evolution<T>& state, const circuit::Operator& op) {
  const int n_sites = state.graph().n_sites();
  std::vector<double> values(n_sites, 0);
  parallel::agree_on_failure(state.ranks(), [&] {
    for (int site = 0; site < n_sites; ++site)
      if (state.owns(site)) values[site] = expectation(state.tensor(site), op);
  });
  state.ranks().sum(std::span(values));
  return values;
}

template <Scalar T>
double site_expectation(const Evolution<T>& state, int site, const circuit::Operator& op) {
  const double value = parallel::agree_on_failure(
      state.ranks(), [&] { return state.owns(site) ? expectation(state.tensor(site), op) : 0.0; });
  return state.ranks().sum(value);
}

#define RANKINE_INSTANTIATE(T)                                                 \
  template std::vector<double> site_expectations<T>(const Evolution<T>&,       \
                                                    const circuit::Operator&); \
  template double site_expectation<T>(const Evolution<T>&, int, const circuit::Operator&);
RANKINE_INSTANTIATE(float)
RANKINE_INSTANTIATE(double)
RANKINE_INSTANTIATE(std::complex<float>)
RANKINE_INSTANTIATE(std::complex<double>)
#undef RANKINE_INSTANTIATE

}  // namespace rankine::gpeps
