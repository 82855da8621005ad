// The C interface of HDF5 with closing handles and exceptions. Private to the room files.
#pragma once

#include <hdf5.h>

#include <stdexcept>
#include <string>

namespace rankine::files {

/// A call that failed; whoever knows which file and why turns it into an InputError or
/// LibraryError.
class Hdf5Failure : public std::runtime_error {
 public:
  /// Takes the reason from HDF5's error stack.
  explicit Hdf5Failure(const char* call);
};

/// Returns what an HDF5 call returned; throws Hdf5Failure if that means failure (is negative).
template <class Result>
Result check_hdf5(Result result, const char* call) {
  if (result < 0) throw Hdf5Failure(call);
  return result;
}

/// Owns an identifier; `close` is the call that ends its kind (H5Fclose, H5Dclose, ...).
class Hdf5Handle {
 public:
  Hdf5Handle(hid_t id, herr_t (*close)(hid_t), const char* opening_call)
      : id_(check_hdf5(id, opening_call)), close_(close) {}
  Hdf5Handle(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(const Hdf5Handle&) = delete;
  ~Hdf5Handle() { close_(id_); }

  hid_t id() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

/// Keeps HDF5 from printing its error stack while it lives: the exception tells.
class QuietHdf5 {
 public:
  QuietHdf5();
  QuietHdf5(const QuietHdf5&) = delete;
  QuietHdf5& operator=(const QuietHdf5&) = delete;
  ~QuietHdf5();

 private:
  H5E_auto2_t print_ = nullptr;
  void* print_argument_ = nullptr;
};

/// Text of any length in UTF-8, in memory and in files.
Hdf5Handle text_type();

/// Complex numbers in memory and in files: {r, i}, as h5py writes and reads them.
Hdf5Handle complex_type();

}  // namespace rankine::files
