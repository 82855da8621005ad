// The list of scalar types for explicit instantiations. Included by .cpp files only.
#pragma once

#include <complex>

#define RANKINE_FOR_EACH_SCALAR(macro) \
  macro(float) macro(double) macro(std::complex<float>) macro(std::complex<double>)
