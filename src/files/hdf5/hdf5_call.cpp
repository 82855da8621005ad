#include "files/hdf5/hdf5_call.hpp"

#include <fmt/core.h>

#include <complex>

namespace rankine::files {

namespace {

herr_t keep_innermost(unsigned depth, const H5E_error2_t* error, void* reason) {
  if (depth == 0 && error->desc != nullptr) *static_cast<std::string*>(reason) = error->desc;
  return 0;
}

std::string innermost_reason() {
  std::string reason = "no reason given";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, &reason);
  return reason;
}

}  // namespace

Hdf5Failure::Hdf5Failure(const char* call)
    : std::runtime_error(fmt::format("{}: {}", call, innermost_reason())) {}

QuietHdf5::QuietHdf5() {
  H5Eget_auto2(H5E_DEFAULT, &print_, &print_argument_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

QuietHdf5::~QuietHdf5() { H5Eset_auto2(H5E_DEFAULT, print_, print_argument_); }

Hdf5Handle text_type() {
  const hid_t type = H5Tcopy(H5T_C_S1);
  check_hdf5(H5Tset_size(type, H5T_VARIABLE), "H5Tset_size");
  check_hdf5(H5Tset_cset(type, H5T_CSET_UTF8), "H5Tset_cset");
  return {type, H5Tclose, "H5Tcopy"};
}

Hdf5Handle complex_type() {
  const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(std::complex<double>));
  check_hdf5(H5Tinsert(type, "r", 0, H5T_NATIVE_DOUBLE), "H5Tinsert");
  check_hdf5(H5Tinsert(type, "i", sizeof(double), H5T_NATIVE_DOUBLE), "H5Tinsert");
  return {type, H5Tclose, "H5Tcreate"};
}

}  // namespace rankine::files
