#include "weights/making/orthonormal_factors.hpp"

#include "core/contracts.hpp"
#include "weights/rows/axis_product.hpp"

namespace rankine::weights {

using torch::Tensor;

TuckerFactors orthonormal(const TuckerFactors& factors) {
  TuckerFactors result = factors;
  result.core = factors.core.to(torch::kFloat64);
  std::int64_t axis = 0;
  for (Tensor* factor : {&result.output, &result.input, &result.height, &result.width}) {
    if (factor->defined()) {
      const auto [q, r] = torch::linalg_qr(factor->to(torch::kFloat64));
      const Tensor signs = torch::where(r.diagonal() < 0, -1.0, 1.0).to(torch::kFloat64);
      *factor = (q * signs).contiguous();
      result.core = along_axis(result.core, axis, r * signs.unsqueeze(1));
    }
    ++axis;
  }
  result.core = result.core.contiguous();
  return result;
}

void orthonormalise(const Tucker& kernel) {
  const torch::NoGradGuard no_gradients;
  const TuckerFactors& old = kernel.factors();
  RANKINE_EXPECTS(!old.output.defined() || old.output.size(0) == kernel.outputs(),
                  "one rank owns all rows");
  const TuckerFactors found = orthonormal(old);
  Tensor(old.core).copy_(found.core);
  for (const auto factor : {&TuckerFactors::output, &TuckerFactors::input, &TuckerFactors::height,
                            &TuckerFactors::width})
    if ((old.*factor).defined()) Tensor(old.*factor).copy_(found.*factor);
}

}  // namespace rankine::weights
