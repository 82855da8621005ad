#include "files/hdf5/result_reader.hpp"

#include <fmt/core.h>

#include <utility>

#include "core/errors.hpp"
#include "core/input_file.hpp"
#include "files/hdf5/hdf5_call.hpp"

namespace rankine::files {

namespace {

namespace fs = std::filesystem;

Hdf5Handle open_file(const fs::path& path) {
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "H5Pcreate");
  // Files are replaced by renaming, so a reader needs no lock; many file systems offer none.
  check_hdf5(H5Pset_file_locking(access.id(), 0, 1), "H5Pset_file_locking");
  return {H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose, "H5Fopen"};
}

/// Runs `read` on the open file; tells which part of which file was wrong if that fails.
template <class Read>
auto read_from(const fs::path& path, const std::string& what, Read&& read) {
  check_input(path);
  const QuietHdf5 quiet;
  try {
    const Hdf5Handle file = open_file(path);
    return read(file.id());
  } catch (const Hdf5Failure& failure) {
    throw InputError(fmt::format(
        "Cannot read {} from '{}' ({}). Check that the file is complete and of the right kind.",
        what, path.string(), failure.what()));
  }
}

Hdf5Handle open_dataset(hid_t file, const std::string& name) {
  return {H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose, "H5Dopen2"};
}

std::vector<std::size_t> shape_of(const Hdf5Handle& space) {
  const int n_axes =
      check_hdf5(H5Sget_simple_extent_ndims(space.id()), "H5Sget_simple_extent_ndims");
  std::vector<hsize_t> sizes(static_cast<std::size_t>(n_axes));
  check_hdf5(H5Sget_simple_extent_dims(space.id(), sizes.data(), nullptr),
             "H5Sget_simple_extent_dims");
  return {sizes.begin(), sizes.end()};
}

std::size_t element_count(const Hdf5Handle& space) {
  return static_cast<std::size_t>(
      check_hdf5(H5Sget_simple_extent_npoints(space.id()), "H5Sget_simple_extent_npoints"));
}

/// Texts as HDF5 hands them out: it allocated them and takes them back.
class BorrowedTexts {
 public:
  explicit BorrowedTexts(const Hdf5Handle& space)
      : space_(space), pointers_(element_count(space), nullptr) {}
  BorrowedTexts(const BorrowedTexts&) = delete;
  BorrowedTexts& operator=(const BorrowedTexts&) = delete;
  ~BorrowedTexts() { H5Dvlen_reclaim(type_.id(), space_.id(), H5P_DEFAULT, pointers_.data()); }

  hid_t type() const { return type_.id(); }
  void* data() { return pointers_.data(); }
  std::vector<std::string> copies() const {
    std::vector<std::string> texts;
    for (const char* pointer : pointers_) texts.emplace_back(pointer == nullptr ? "" : pointer);
    return texts;
  }

 private:
  Hdf5Handle type_ = text_type();
  const Hdf5Handle& space_;
  std::vector<char*> pointers_;
};

template <class T>
Array<T> read_numbers(const fs::path& path, const std::string& name, hid_t type) {
  return read_from(path, fmt::format("dataset '{}'", name), [&](hid_t file) {
    const Hdf5Handle dataset = open_dataset(file, name);
    const Hdf5Handle space(H5Dget_space(dataset.id()), H5Sclose, "H5Dget_space");
    Array<T> array{shape_of(space), std::vector<T>(element_count(space))};
    check_hdf5(H5Dread(dataset.id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.values.data()),
               "H5Dread");
    return array;
  });
}

Attribute read_attribute_value(hid_t attribute) {
  const Hdf5Handle space(H5Aget_space(attribute), H5Sclose, "H5Aget_space");
  const Hdf5Handle type(H5Aget_type(attribute), H5Tclose, "H5Aget_type");
  const H5T_class_t kind = H5Tget_class(type.id());
  if (kind == H5T_STRING) {
    BorrowedTexts texts(space);
    if (element_count(space) > 0) {
      check_hdf5(H5Aread(attribute, texts.type(), texts.data()), "H5Aread");
    }
    if (shape_of(space).empty()) return texts.copies().front();
    return texts.copies();
  }
  const auto numbers = [&](auto one, hid_t memory_type) -> Attribute {
    std::vector<decltype(one)> values(element_count(space));
    if (!values.empty()) check_hdf5(H5Aread(attribute, memory_type, values.data()), "H5Aread");
    if (shape_of(space).empty()) return values.front();
    return values;
  };
  return kind == H5T_INTEGER ? numbers(std::int64_t{}, H5T_NATIVE_INT64)
                             : numbers(double{}, H5T_NATIVE_DOUBLE);
}

}  // namespace

Array<double> read_doubles(const fs::path& file, const std::string& dataset) {
  return read_numbers<double>(file, dataset, H5T_NATIVE_DOUBLE);
}

Array<std::int64_t> read_integers(const fs::path& file, const std::string& dataset) {
  return read_numbers<std::int64_t>(file, dataset, H5T_NATIVE_INT64);
}

Array<std::complex<double>> read_complex_numbers(const fs::path& file, const std::string& dataset) {
  return read_numbers<std::complex<double>>(file, dataset, complex_type().id());
}

Array<std::string> read_texts(const fs::path& path, const std::string& name) {
  return read_from(path, fmt::format("dataset '{}'", name), [&](hid_t file) {
    const Hdf5Handle dataset = open_dataset(file, name);
    const Hdf5Handle space(H5Dget_space(dataset.id()), H5Sclose, "H5Dget_space");
    BorrowedTexts texts(space);
    check_hdf5(H5Dread(dataset.id(), texts.type(), H5S_ALL, H5S_ALL, H5P_DEFAULT, texts.data()),
               "H5Dread");
    return Array<std::string>{shape_of(space), texts.copies()};
  });
}

std::string read_text(const fs::path& file, const std::string& dataset) {
  Array<std::string> texts = read_texts(file, dataset);
  if (texts.values.size() != 1) {
    throw InputError(
        fmt::format("Cannot read dataset '{}' from '{}' (it holds {} texts, not one). "
                    "Check that the file is of the right kind.",
                    dataset, file.string(), texts.values.size()));
  }
  return std::move(texts.values.front());
}

Attribute read_attribute(const fs::path& path, const std::string& object, const std::string& name) {
  return read_from(path, fmt::format("attribute '{}' of '{}'", name, object), [&](hid_t file) {
    const Hdf5Handle attribute(
        H5Aopen_by_name(file, object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
        "H5Aopen_by_name");
    return read_attribute_value(attribute.id());
  });
}

}  // namespace rankine::files
