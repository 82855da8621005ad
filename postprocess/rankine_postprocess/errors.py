"""The exception this package raises for input it cannot use."""


class InputError(Exception):
    """A file or request that cannot be served; the message is one line: what, where (why), what to do."""


class ForeignFile(InputError):
    """A sound HDF5 file that is no result file of Rankine's."""
