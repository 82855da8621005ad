# Writes HEADER with the commit of SOURCE_DIR ("unknown" without git); touches it only if that changed.
# Run as a script: cmake -D SOURCE_DIR=... -D HEADER=... -P GitCommit.cmake
set(commit "unknown")
find_package(Git QUIET)
if(GIT_FOUND)
  # The ceiling keeps an unpacked archive from reporting the commit of a repository around it.
  get_filename_component(parent ${SOURCE_DIR} DIRECTORY)
  set(ENV{GIT_CEILING_DIRECTORIES} ${parent})
  execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse --verify HEAD
    WORKING_DIRECTORY ${SOURCE_DIR} OUTPUT_VARIABLE head RESULT_VARIABLE failed
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT failed)
    set(commit ${head})
    execute_process(COMMAND ${GIT_EXECUTABLE} --no-optional-locks status --porcelain --untracked-files=no
      WORKING_DIRECTORY ${SOURCE_DIR} OUTPUT_VARIABLE changes ERROR_QUIET)
    if(changes)
      string(APPEND commit "-dirty")
    endif()
  endif()
endif()

set(content "#define RANKINE_GIT_COMMIT \"${commit}\"\n")
set(previous "")
if(EXISTS ${HEADER})
  file(READ ${HEADER} previous)
endif()
if(NOT content STREQUAL previous)
  file(WRITE ${HEADER} ${content})
endif()
