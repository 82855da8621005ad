#include "files/hdf5/hdf5_image.hpp"

#include <fmt/core.h>

#include <type_traits>

#include "core/errors.hpp"
#include "files/hdf5/dimension_scales.hpp"
#include "files/hdf5/hdf5_call.hpp"

namespace rankine::files {

namespace {

constexpr std::size_t growth_bytes = std::size_t{1} << 20;

Hdf5Handle create_in_memory() {
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "H5Pcreate");
  check_hdf5(H5Pset_fapl_core(access.id(), growth_bytes, 0), "H5Pset_fapl_core");
  return {H5Fcreate("results", H5F_ACC_TRUNC, H5P_DEFAULT, access.id()), H5Fclose, "H5Fcreate"};
}

Hdf5Handle with_parent_groups() {
  const hid_t list = H5Pcreate(H5P_LINK_CREATE);
  check_hdf5(H5Pset_create_intermediate_group(list, 1), "H5Pset_create_intermediate_group");
  return {list, H5Pclose, "H5Pcreate"};
}

Hdf5Handle dataspace(const std::vector<std::size_t>& shape) {
  const std::vector<hsize_t> sizes(shape.begin(), shape.end());
  return {sizes.empty() ? H5Screate(H5S_SCALAR)
                        : H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr),
          H5Sclose, "H5Screate"};
}

std::vector<const char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<const char*> pointers;
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  return pointers;
}

void put_attribute(hid_t object, const std::string& name, const Hdf5Handle& space, hid_t type,
                   const void* values) {
  const Hdf5Handle attribute(
      H5Acreate2(object, name.c_str(), type, space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
      "H5Acreate2");
  if (values == nullptr) return;  // An empty list: HDF5 takes no null pointer even then.
  check_hdf5(H5Awrite(attribute.id(), type, values), "H5Awrite");
}

void put_attribute(hid_t object, const std::string& name, const Attribute& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    put_attribute(object, name, dataspace({}), H5T_NATIVE_INT64, integer);
  } else if (const auto* real = std::get_if<double>(&value)) {
    put_attribute(object, name, dataspace({}), H5T_NATIVE_DOUBLE, real);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    const char* pointer = text->c_str();
    put_attribute(object, name, dataspace({}), text_type().id(), &pointer);
  } else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value)) {
    put_attribute(object, name, dataspace({integers->size()}), H5T_NATIVE_INT64, integers->data());
  } else if (const auto* reals = std::get_if<std::vector<double>>(&value)) {
    put_attribute(object, name, dataspace({reals->size()}), H5T_NATIVE_DOUBLE, reals->data());
  } else {
    const auto& texts = std::get<std::vector<std::string>>(value);
    const std::vector<const char*> pointers = pointers_to(texts);
    put_attribute(object, name, dataspace({texts.size()}), text_type().id(), pointers.data());
  }
}

void put_attributes(hid_t object, const std::map<std::string, Attribute>& attributes) {
  for (const auto& [name, value] : attributes) put_attribute(object, name, value);
}

/// A text of fixed length, as the library writes those of scales.
void put_mark(hid_t object, const char* name, const std::string& text) {
  const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "H5Tcopy");
  check_hdf5(H5Tset_size(type.id(), text.size() + 1), "H5Tset_size");
  put_attribute(object, name, dataspace({}), type.id(), text.data());
}

void mark_as_scale(hid_t dataset, const std::string& name) {
  put_mark(dataset, "CLASS", "DIMENSION_SCALE");
  put_mark(dataset, "NAME", name);
}

/// A scale without values, marked as netCDF marks a dimension that is no variable.
void put_length(hid_t file, const std::string& path, std::size_t length) {
  const Hdf5Handle dataset(H5Dcreate2(file, path.c_str(), H5T_IEEE_F32BE, dataspace({length}).id(),
                                      with_parent_groups().id(), H5P_DEFAULT, H5P_DEFAULT),
                           H5Dclose, "H5Dcreate2");
  mark_as_scale(dataset.id(), fmt::format("This is a netCDF dimension but not a netCDF variable. "
                                          "{:10}",
                                          length));
}

/// Gives the axes of a dataset their scales. The scales do not list in turn who uses them: such a
/// list would end at 64 KiB, and be written anew for every dataset.
void put_scales(hid_t file, hid_t dataset, const std::vector<std::string>& scales) {
  std::vector<hobj_ref_t> references(scales.size());
  std::vector<hvl_t> axes;
  for (std::size_t axis = 0; axis < scales.size(); ++axis) {
    check_hdf5(H5Rcreate(&references[axis], file, scales[axis].c_str(), H5R_OBJECT, -1),
               "H5Rcreate");
    axes.push_back({1, &references[axis]});
  }
  const Hdf5Handle type(H5Tvlen_create(H5T_STD_REF_OBJ), H5Tclose, "H5Tvlen_create");
  put_attribute(dataset, "DIMENSION_LIST", dataspace({axes.size()}), type.id(), axes.data());
}

void put_values(hid_t dataset, hid_t type, const void* values) {
  check_hdf5(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), "H5Dwrite");
}

template <class T>
Hdf5Handle type_of() {
  if constexpr (std::is_same_v<T, std::string>) {
    return text_type();
  } else if constexpr (std::is_same_v<T, std::complex<double>>) {
    return complex_type();
  } else {
    return {H5Tcopy(std::is_same_v<T, double> ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64), H5Tclose,
            "H5Tcopy"};
  }
}

template <class T>
void put_dataset(hid_t file, const std::string& path, const Array<T>& array,
                 const Description& description) {
  const Hdf5Handle type = type_of<T>();
  const Hdf5Handle dataset(H5Dcreate2(file, path.c_str(), type.id(), dataspace(array.shape).id(),
                                      with_parent_groups().id(), H5P_DEFAULT, H5P_DEFAULT),
                           H5Dclose, "H5Dcreate2");
  if constexpr (std::is_same_v<T, std::string>) {
    put_values(dataset.id(), type.id(), pointers_to(array.values).data());
  } else {
    put_values(dataset.id(), type.id(), array.values.data());
  }
  put_attribute(dataset.id(), "long_name", description.long_name);
  put_attribute(dataset.id(), "units", description.units);
  put_attribute(dataset.id(), "dims", description.dims);
  put_attributes(dataset.id(), description.attributes);
}

Hdf5Handle open_or_create_group(hid_t file, const std::string& path) {
  const hid_t existing = H5Gopen2(file, path.c_str(), H5P_DEFAULT);
  if (existing >= 0) return {existing, H5Gclose, "H5Gopen2"};
  return {H5Gcreate2(file, path.c_str(), with_parent_groups().id(), H5P_DEFAULT, H5P_DEFAULT),
          H5Gclose, "H5Gcreate2"};
}

void put_dimensions(hid_t file, const ResultContent& content) {
  const DimensionScales scales = dimension_scales(content);
  for (const auto& [path, length] : scales.lengths) put_length(file, path, length);
  for (const auto& [path, axes] : scales.of_dataset) {
    const Hdf5Handle dataset(H5Dopen2(file, path.c_str(), H5P_DEFAULT), H5Dclose, "H5Dopen2");
    if (axes.front() == path) {
      mark_as_scale(dataset.id(), path);
    } else {
      put_scales(file, dataset.id(), axes);
    }
    const std::string labels = coordinates(content, path);
    if (!labels.empty()) put_attribute(dataset.id(), "coordinates", labels);
  }
}

void put_content(hid_t file, const ResultContent& content) {
  for (const auto& [path, dataset] : content.datasets) {
    std::visit([&](const auto& array) { put_dataset(file, path, array, dataset.description); },
               dataset.array);
  }
  for (const auto& [path, attributes] : content.group_attributes) {
    put_attributes(open_or_create_group(file, path).id(), attributes);
  }
  put_dimensions(file, content);
}

}  // namespace

std::vector<std::byte> hdf5_image(const ResultContent& content) {
  const QuietHdf5 quiet;
  try {
    const Hdf5Handle file = create_in_memory();
    put_content(file.id(), content);
    check_hdf5(H5Fflush(file.id(), H5F_SCOPE_GLOBAL), "H5Fflush");
    const auto size = check_hdf5(H5Fget_file_image(file.id(), nullptr, 0), "H5Fget_file_image");
    std::vector<std::byte> image(static_cast<std::size_t>(size));
    check_hdf5(H5Fget_file_image(file.id(), image.data(), image.size()), "H5Fget_file_image");
    return image;
  } catch (const Hdf5Failure& failure) {
    throw LibraryError(
        fmt::format("HDF5 could not put the results together ({}). Please report this as a defect.",
                    failure.what()));
  }
}

}  // namespace rankine::files
