"""Figure: accuracies of language models in tasks of multiple choice."""

from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from .errors import InputError
from .frame import add_frame
from .labels import plain
from .result import RESULTS, Result, made_of_result
from .style import SETUP_COLOURS, STYLE
from .wording import shortened

_LONGEST = 46
_NORMAL = 1.959963984540054  # quantile of the normal distribution, for 95 %


@dataclass(frozen=True)
class TaskScores:
    """Of one file, of a compressed model those in the end."""

    path: Path
    model: str
    accuracies: dict[str, tuple[float, float]]  # task -> value and standard error


def read_task_scores(path: str | Path, *, allow_partial: bool = False) -> TaskScores:
    """Raises InputError as `open_result` does, and for files without tasks."""
    return made_of_result(path, _scores, allow_partial=allow_partial)


def _scores(result: Result) -> TaskScores:
    found = {}
    for group in result.subgroups(f"{RESULTS}/tasks"):
        here = result.in_group(group)
        for end in ("", "_after"):
            if (name := f"accuracy{end}") in here and (error := f"accuracy_standard_error{end}") in here:
                found[group.rpartition("/")[2]] = (float(here[name].values), float(here[error].values))
    if not found:
        raise InputError(f"{result.path}: the file holds no tasks. Set tasks.files in its deck.")
    return TaskScores(result.path, str(result.groups.get(RESULTS, {}).get("model", "")), found)


def draw(scores: list[TaskScores]) -> Figure:
    """A group of bars a task, a bar a file, with intervals of 95 %."""
    tasks = list(dict.fromkeys(task for one in scores for task in one.accuracies))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.6, 4.2 + 0.25 * len(scores)), layout="constrained")
        axes = figure.subplots()
        width = 0.8 / len(scores)
        for number, one in enumerate(scores):
            values = np.array([one.accuracies.get(task, (np.nan, np.nan)) for task in tasks])
            places = np.arange(len(tasks)) + (number - (len(scores) - 1) / 2) * width
            label = plain(shortened(f"{one.path.stem}: {one.model}", _LONGEST))
            axes.bar(places, values[:, 0], width, yerr=_NORMAL * values[:, 1], capsize=2, label=label,
                     color=SETUP_COLOURS[number % len(SETUP_COLOURS)], gid="accuracy")  # fmt: skip
        axes.set_xticks(range(len(tasks)), [plain(shortened(task, 18)) for task in tasks])
        axes.set_ylabel("accuracy")
        axes.set_ylim(0, 1)
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2)
        add_frame(figure, "Accuracy in tasks", "choice with the largest log-likelihood; bars of 95 % over items")
    return figure
