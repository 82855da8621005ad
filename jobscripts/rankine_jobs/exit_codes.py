"""Exit codes of rankine-sweep and those of the programs that it looks at (docs/file_formats.md#exit-codes)."""

DONE = 0
SOME_FAILED = 1
BAD_INPUT = 2
NO_RESOURCE = 3  # files that cannot be written
GOES_ON = 75  # stopped with what is needed to go on
