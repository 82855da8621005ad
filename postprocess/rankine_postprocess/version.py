"""The version of this package, kept apart so that the build can read it without importing numpy."""

__version__ = "0.1.0"
