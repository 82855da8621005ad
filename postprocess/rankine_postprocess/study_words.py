"""Words of a study: parameters and their values, what tells runs apart, what its runs have in common."""

from collections import Counter

from .run_folder import Run
from .study import Study
from .summary import is_there
from .wording import shortened

STATES = ("done", "running", "waiting", "stopped", "lost", "failed", "unreadable")


def short(name: str) -> str:
    """A keyword without its section, as words."""
    name = name.rpartition(".")[2]
    return name if name.startswith("theta_") else name.replace("_", " ")


def shown(value) -> str:
    """A value in a few letters."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return shortened(", ".join(map(shown, value)), 60)
    if isinstance(value, str) and "/" in value:
        value = value.rstrip("/").rpartition("/")[2]  # a path
    return "none" if value in ("", None) else shortened(str(value), 32)


def told_apart(study: Study, run: Run) -> str:
    """The values of a run by which it differs from others: "kind cayley, block 4"; empty where there is none."""
    row = next(row for row in study.rows if row["run"] == run.name)
    return ", ".join(f"{short(name)} {shown(row[name])}" for name in study.parameters if is_there(row.get(name)) and name in {**run.deck, **run.parameters})


def by_state(study: Study) -> dict[str, int]:
    """State -> how many runs."""
    found = Counter(run.state for run in study.runs)
    return {state: found[state] for state in (*STATES, *found) if found.get(state)}


def in_common(study: Study, name: str) -> list[str]:
    """The different values of a column, the most frequent first, with how many rows have each where there are several."""
    found = Counter(str(row[name]) for row in study.rows if is_there(row.get(name)))
    return [f"{value} ({number})" if len(found) > 1 else value for value, number in found.most_common()]


def title(study: Study) -> str:
    """That of the decks where they have one in common, else the name of the first source."""
    titles = {str(row["title"]) for row in study.rows if row.get("title")}
    return titles.pop() if len(titles) == 1 else study.sources[0].resolve().name
