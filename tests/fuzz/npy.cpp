// Arrays in .npy files.
#include "files/npy.hpp"

#include "targets.hpp"

namespace rankine::fuzz {

namespace fs = std::filesystem;

namespace {

/// A description with the length it needs before it and 24 bytes of values behind.
std::string array_of(const std::string& description) {
  const auto size = description.size();
  std::string bytes = "\x93NUMPY";
  bytes += std::string("\1\0", 2);
  bytes += static_cast<char>(size & 0xff);
  bytes += static_cast<char>((size >> 8) & 0xff);
  return bytes + description + std::string(24, '\0');
}

void read_array(const std::string& input, const fs::path& folder) {
  files::read_npy(
      write_file(folder / "array.npy", input.starts_with('{') ? array_of(input) : input));
}

}  // namespace

Target npy_files() {
  return {.name = "npy",
          .seeds = {"{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }          \n",
                    "{'descr': '<u8', 'fortran_order': False, 'shape': (3,), }\n",
                    "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 4), }\n",
                    "{'descr': '<f2', 'fortran_order': False, 'shape': (12, 1), }\n",
                    "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 3), }\n",
                    "{'descr': '>i4', 'fortran_order': True, 'shape': (2, 3), }\n",
                    "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 4), }\n",
                    "{'descr': '>f8', 'fortran_order': False, 'shape': (3,), }\n",
                    project_file("tests/data/stories260K_greedy32_ids.npy"),
                    array_of("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }")},
          .words = {"'<i8'",
                    "'>i4'",
                    "'>u8'",
                    "'>f2'",
                    "'|u1'",
                    "'|b1'",
                    "'='",
                    "'>'",
                    "'<U4'",
                    "'|O'",
                    "True",
                    "False",
                    "()",
                    "(0,)",
                    "(0, 4)",
                    "(4, 0, 6)",
                    "(6,)",
                    "(4611686018427387904, 4,)",
                    "'shape':",
                    "'descr':",
                    "[('a', '<i4')]",
                    "-1,",
                    "\n",
                    "\x93NUMPY\x02",
                    "\x93NUMPY\x03",
                    "'fortran_order': True"},
          .read = read_array};
}

}  // namespace rankine::fuzz
