"""What every object that was read from a result file can do."""

from pathlib import Path


class FromFile:
    """Has the path it was read from."""

    path: Path

    def to_xarray(self, group: str = "results"):
        """The datasets of a group of the file as an xarray.Dataset. Raises InputError as rankine_postprocess.to_xarray does."""
        from .labelled import to_xarray  # which needs the classes that have this method

        return to_xarray(self, group=group)
