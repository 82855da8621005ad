"""The one exception this package raises for input it cannot use."""


class InputError(Exception):
    """A file or request that cannot be served; the message is one line: what, where (why), what to do."""
