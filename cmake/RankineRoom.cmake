include(CheckCXXSourceRuns)

# rankine_room(NAME [SUBROOMS ...] SOURCES ... USES ... LIBRARIES ...)
# One static library rankine::<room>. SUBROOMS are folders in it, each of which may include those before it (. is the
# room's own folder). USES names the rooms it may include (scripts/check_includes holds the same
# directions against the #include lines); LIBRARIES are third-party targets.
function(rankine_room name)
  cmake_parse_arguments(ROOM "" "" "SUBROOMS;SOURCES;USES;LIBRARIES" ${ARGN})
  add_library(rankine_${name} STATIC ${ROOM_SOURCES})
  add_library(rankine::${name} ALIAS rankine_${name})
  list(TRANSFORM ROOM_USES PREPEND rankine::)
  target_include_directories(rankine_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(rankine_${name} PUBLIC ${ROOM_USES} ${ROOM_LIBRARIES})
  target_compile_definitions(rankine_${name} PUBLIC $<$<BOOL:${RANKINE_CONTRACTS}>:RANKINE_CONTRACTS>)
  rankine_compile_options(rankine_${name})
endfunction()

# How every library of src/ is compiled.
function(rankine_compile_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion)
  rankine_code_options(${target})
endfunction()

# What code is made for: the same for libraries, programs and tests, which share inlined functions and precompiled headers.
function(rankine_code_options target)
  # GCC 12 warns wrongly about std::string (GCC bug 105651), where it inlines much.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>)
  # A unity build includes the source files, which GCC then takes for headers.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  # Complex products without the library call that sorts out infinities: tensors are finite or the run stops.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fcx-limited-range>)
  if(RANKINE_ARCHITECTURE)
    target_compile_options(${target} PRIVATE -march=${RANKINE_ARCHITECTURE})
    rankine_check_vector_constants()
    if(NOT RANKINE_VECTOR_CONSTANTS_ARE_RIGHT)
      target_compile_options(${target} PRIVATE -mno-avx512f)
    endif()
  endif()
endfunction()

# GCC 12.2 makes {64, 64, 64, 64} of {64, 64, 0, 0} where it may use AVX-512: such a compiler does without.
function(rankine_check_vector_constants)
  set(CMAKE_REQUIRED_FLAGS "-O2 -march=${RANKINE_ARCHITECTURE}")
  check_cxx_source_runs("
    #include <cstdint>
    #include <vector>
    __attribute__((noinline)) std::vector<std::int64_t> constants() { return {64, 64, 0, 0}; }
    int main() { return constants()[2] == 0 ? 0 : 1; }" RANKINE_VECTOR_CONSTANTS_ARE_RIGHT)
endfunction()

# Compiles the headers of libtorch once, in the first target that asks, for all that do.
function(rankine_torch_headers target)
  get_property(first GLOBAL PROPERTY RANKINE_TORCH_HEADERS)
  if(first)
    target_precompile_headers(${target} REUSE_FROM ${first})
  else()
    target_precompile_headers(${target} PRIVATE <torch/types.h> <torch/csrc/autograd/custom_function.h>)
    set_property(GLOBAL PROPERTY RANKINE_TORCH_HEADERS ${target})
  endif()
endfunction()
