"""Where runs are started: how ranks come about, and what the machine gives them."""

from dataclasses import dataclass, field

from .errors import InputError


@dataclass(frozen=True)
class Site:
    name: str = "here"
    launcher: str = "mpirun"  # or "srun"
    launcher_options: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)  # for programs, where the user sets nothing


# Ranks of several teams share the cores: no team's mpirun may bind them or count them alone. Open MPI 4, then 5.
HERE = Site(environment={
    "OMPI_MCA_hwloc_base_binding_policy": "none", "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "PRTE_MCA_hwloc_default_binding_policy": "none", "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe"})  # fmt: skip


def load_site(name: str) -> Site:
    """This machine for an empty name."""
    if not name:
        return HERE
    raise InputError(f"There is no site {name!r}. Leave --site out.")
