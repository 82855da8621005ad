# Two ways to register a GoogleTest program.
#   rankine_add_unit_test(NAME SOURCES ... ROOMS ...)           one process, no MPI
#   rankine_add_mpi_test(NAME SOURCES ... ROOMS ... [RANKS ...] [TIMEOUT s] [LABELS ...])
#     one CTest test per rank count (default 1 2 3 4); fails if any rank fails; a hang is a failure (TIMEOUT, default 120 s).
find_package(GTest REQUIRED)

set(RANKINE_MPIRUN ${MPIEXEC_EXECUTABLE} --oversubscribe --bind-to none CACHE STRING "How tests start several ranks")

function(rankine_add_unit_test name)
  cmake_parse_arguments(TEST "" "TIMEOUT" "SOURCES;ROOMS;LABELS" ${ARGN})
  list(TRANSFORM TEST_ROOMS PREPEND rankine::)
  add_executable(${name} ${TEST_SOURCES})
  rankine_code_options(${name})
  target_link_libraries(${name} PRIVATE ${TEST_ROOMS} GTest::gtest GTest::gtest_main GTest::gmock)
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 60)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${TEST_TIMEOUT} LABELS "unit;${TEST_LABELS}")
endfunction()

function(rankine_add_mpi_test name)
  cmake_parse_arguments(TEST "" "TIMEOUT" "SOURCES;ROOMS;RANKS;LABELS" ${ARGN})
  list(TRANSFORM TEST_ROOMS PREPEND rankine::)
  add_executable(${name} ${TEST_SOURCES} ${PROJECT_SOURCE_DIR}/tests/mpi_main.cpp)
  rankine_code_options(${name})
  target_link_libraries(${name} PRIVATE ${TEST_ROOMS} rankine::parallel GTest::gtest GTest::gmock)
  if(NOT TEST_RANKS)
    set(TEST_RANKS 1 2 3 4)
  endif()
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 120)
  endif()
  foreach(ranks IN LISTS TEST_RANKS)
    add_test(NAME ${name}_${ranks}_ranks COMMAND ${RANKINE_MPIRUN} -n ${ranks} $<TARGET_FILE:${name}> --gtest_brief=1)
    set_tests_properties(${name}_${ranks}_ranks PROPERTIES
      TIMEOUT ${TEST_TIMEOUT} LABELS "mpi;${TEST_LABELS}" PROCESSORS ${ranks}
      ENVIRONMENT "OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;OPENBLAS_NUM_THREADS=1;OMPI_MCA_rmaps_base_oversubscribe=1;OMPI_MCA_mpi_yield_when_idle=1")
  endforeach()
endfunction()
