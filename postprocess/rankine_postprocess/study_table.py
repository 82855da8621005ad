"""A study as a table for the terminal: a row a run, what it varies, what came out, what became of it."""

from .run_table import require_columns
from .study import Study
from .study_words import by_state
from .text_table import aligned, cell
from .wording import shortened

_LONGEST, _LONGEST_MESSAGE, _MOST_KEYWORDS = 32, 80, 8


def table(study: Study, columns: list[str]) -> str:
    """With these columns, or the most telling ones. Raises InputError for one that no run has."""
    require_columns(columns, study.rows)
    parameters = study.parameters
    left_out = "" if columns else _left_out(parameters[_MOST_KEYWORDS:])
    has_messages = not columns and any(row["message"] for row in study.rows)
    seconds = "run_seconds" if any(run.seconds for run in study.runs) else "seconds"
    columns = columns or ["state", *parameters[:_MOST_KEYWORDS], *study.results, seconds]
    rows = [[str(row["run"]), *(shortened(cell(row.get(name)), _LONGEST) for name in columns)] for row in study.rows]
    titles = ["run", *columns]
    if has_messages:
        messages = [shortened(str(row["message"]), _LONGEST_MESSAGE) for row in study.rows]
        width = max(map(len, messages))  # they begin at the left
        titles.append("message".ljust(width))
        rows = [[*cells, message.ljust(width)] for cells, message in zip(rows, messages)]
    states = ", ".join(f"{number} {state}" for state, number in by_state(study).items())
    return f"{len(study.runs)} runs: {states}\n\n{aligned(titles, rows, left=2 if columns[:1] == ['state'] else 1)}{left_out}"


def _left_out(keywords: list[str]) -> str:
    return f"\n\nThe decks differ also in {', '.join(keywords)}. Choose with --columns." if keywords else ""
