"""A study as one page of HTML that stands alone: what was run, what came out, how long it took, what went wrong, what made it."""

from datetime import datetime, timezone
from html import escape
from pathlib import Path

from . import extrapolated, page, plots, report_figures
from .errors import InputError
from .extrapolation import FEWEST
from .pauli import short_name
from .reader import FILETYPE as OF_SIMULATIONS
from .reader import read_simulation
from .result import Result, made_of_result
from .run_folder import Run
from .simulation import Simulation
from .study import Study, finished_files
from .study_words import by_state, in_common, short, shown, title, told_apart
from .summary import PROVENANCE, is_there
from .text_table import cell
from .version import __version__
from .wording import count, shortened

_LONGEST, _MOST_VALUES, _MOST_KEYWORDS, _MOST_ROWS, _MOST_POINTS = 60, 24, 8, 1000, 60
_LOG_LINES, _MOST_OBSERVABLES = 12, 3
_MOST_FILES = 40  # that are drawn together as `plot` draws them
_NAMES = {"created_utc": "begun", "program_version": "version", "git_commit": "commit", "n_ranks": "ranks", "threads": "threads of a rank",
          "job_id": "jobs", "libraries": "libraries", "inputs": "input files, by SHA-256"}  # fmt: skip
_EXIT_CODES = {2: "input", 3: "resources", 4: "numbers", 5: "a library", 70: "a defect of the program", 75: "stopped, can go on", 137: "killed"}


def write(study: Study, path: str | Path) -> None:
    """Raises InputError where the page cannot be written."""
    text = html(study)
    try:
        Path(path).write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the report cannot be written ({getattr(error, 'strerror', None) or error}).") from error


def html(study: Study) -> str:
    """The whole page."""
    parts = {
        "results": ("Results", _results(study)),
        "limit": ("At infinite bond dimension", _limit(study)),
        "problems": ("Runs without results", _problems(study)),
        "parameters": ("Parameters", _parameters(study)),
        "times": ("Times", [_picture(one) for one in report_figures.of_times(study)]),
        "runs": ("All runs", _runs(study)),
        "provenance": ("Provenance", _provenance(study)),
    }
    parts = {name: part for name, part in parts.items() if part[1]}
    sections = [page.section(name, heading, *content) for name, (heading, content) in parts.items()]
    return page.page(title(study), [*_head(study, {name: heading for name, (heading, _) in parts.items()}), *sections, _foot(study)])


def _head(study: Study, headings: dict[str, str]) -> list[str]:
    states = by_state(study)
    kinds = ", ".join(dict.fromkeys(filter(None, (str(row.get("kind") or row.get("program") or "") for row in study.rows))))
    seconds = sum(run.seconds or 0.0 for run in study.runs) or sum(_seconds(study).values())
    tiles = [page.tile(str(number), state, state) for state, number in states.items()]
    tiles += [page.tile(_duration(seconds), "in all runs")] if seconds else []
    return [
        "<header>", f"<h1>{escape(title(study))}</h1>", page.paragraph(f"{count(len(study.runs), 'run')} of {kinds}" + _span(study), "lead"),
        f'<div class="tiles">{"".join(tiles)}</div>', page.bar(states), page.navigation(headings), "</header>",
    ]  # fmt: skip


def _span(study: Study) -> str:
    begun = sorted(str(row["created_utc"]) for row in study.rows if is_there(row.get("created_utc")))
    return f", begun {begun[0]}" + (f" to {begun[-1]}" if begun[-1] != begun[0] else "") if begun else ""


def _seconds(study: Study) -> dict[str, float]:
    """Run -> time of its points or stages, as its file tells."""
    found: dict[str, float] = {}
    for row in study.rows:
        if isinstance(row.get("seconds"), (int, float)):
            found[str(row["run"])] = found.get(str(row["run"]), 0.0) + row["seconds"]
    return found


def _duration(seconds: float) -> str:
    for unit, name in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.1f} {name}"
    return f"{seconds:.3g} s"


# Sections


def _results(study: Study) -> list[str]:
    own = _as_plot_draws(study)
    pictures = [*own, *(_picture(one) for one in report_figures.of_results(study, is_first_wide=not own))]
    return [f'<div class="figures">{"".join(pictures)}</div>'] if pictures else []


def _picture(one: report_figures.Picture) -> str:
    return page.picture(one.figure, one.title, one.caption, wide=one.is_wide)


def _as_plot_draws(study: Study) -> list[str]:
    """What `plot` makes of the files, where it makes one figure of them."""
    files = finished_files(study.sources)
    if not 0 < len(files) <= _MOST_FILES or len({row["kind"] for row in study.finished}) > 1:
        return []
    try:
        is_of_simulations = study.finished[0]["kind"] == OF_SIMULATIONS
        request = plots.Request(observable=study.results[0] if is_of_simulations else None)
        figure = plots.draw([str(file) for file in files], request)
    except InputError:  # they do not go together
        return []
    return [page.picture(figure, "Results together", "as rankine-postprocess plot draws these files", wide=True)]


def _limit(study: Study) -> list[str]:
    """Where simulations have enough bond dimensions: the first observables, point by point."""
    dimensions = {row.get("state.max_bond_dimension") for row in study.finished}
    if {row["kind"] for row in study.finished} != {OF_SIMULATIONS} or len(dimensions) < FEWEST:
        return []
    simulations = [read_simulation(file) for file in finished_files(study.sources)]
    tables = [_limit_of(simulations, observable) for observable in list(simulations[0].observables)[:_MOST_OBSERVABLES]]
    note = ("The value without truncation lies within the uncertainty in some 95 % of cases (docs/algorithms/extrapolation.md); "
            "what ignored loops add is not in it.")  # fmt: skip
    return [page.paragraph(note), *filter(None, tables)] if any(tables) else []


def _limit_of(simulations: list[Simulation], observable: str) -> str:
    try:
        titles, cells = extrapolated.columns(extrapolated.extrapolated(simulations, observable)[:_MOST_POINTS])
    except InputError:  # not in all files, or discarded weights that do not fall
        return ""
    titles = ["\N{PLUS-MINUS SIGN}" if one == "+-" else one for one in titles]
    return f"<h3>{escape(short_name(observable))}</h3>" + page.table(titles, [[escape(one) for one in line] for line in cells], kind="narrow")


def _problems(study: Study) -> list[str]:
    """Those that need something done first."""
    waiting = [run for run in study.not_done if run.state in ("waiting", "running")]
    others = [run for run in study.not_done if run.state not in ("waiting", "running")]
    order = ("failed", "unreadable", "lost", "stopped")
    others.sort(key=lambda run: order.index(run.state) if run.state in order else len(order))
    blocks = [_problem(study, run) for run in others]
    if waiting:
        names = "; ".join(f"{run.name} ({told_apart(study, run) or run.state})" for run in waiting)
        blocks.append(page.paragraph(f"{count(len(waiting), 'run')} waiting or running: {shortened(names, 2000)}", "caption"))
    return blocks


def _problem(study: Study, run: Run) -> str:
    code = "" if run.exit_code is None else f"exit code {run.exit_code}" + (f" ({_EXIT_CODES[run.exit_code]})" if run.exit_code in _EXIT_CODES else "")
    facts = [told_apart(study, run), code, count(run.attempts, "attempt") if run.attempts else "", f"ended {run.ended_utc}" if run.ended_utc else ""]
    log = run.last_log_lines() or _log_of_file(run)
    return "\n".join([
        f'<div class="problem {run.state}">', f"<h3><code>{escape(run.name)}</code> {page.state_name(run.state)}</h3>",
        page.paragraph(" · ".join(filter(None, facts)), "caption"), page.paragraph(run.message, "message") if run.message else "",
        page.preformatted(log, run.state) if log else page.paragraph("It left no log.", "caption"), "</div>",
    ])  # fmt: skip


def _log_of_file(run: Run) -> list[str]:
    """What a file of no sweep holds."""
    if run.log_file is not None or run.state == "unreadable":
        return []
    return made_of_result(run.result, _log, wanted=lambda name, shape: False).splitlines()[-_LOG_LINES:]


def _log(result: Result) -> str:
    return result.log


def _parameters(study: Study) -> list[str]:
    varied = [[f"<code>{escape(name)}</code>", escape(_values(study, name))] for name in study.parameters]
    same = [[f"<code>{escape(name)}</code>", escape(shown(value))] for name, value in _set_by_deck(study).items()]
    blocks = [page.table(["varied", "values"], varied, text=(0, 1), kind="narrow")] if varied else [page.paragraph("Nothing was varied.")]
    if same:
        blocks += ["<h3>The same in all runs, and not the default</h3>", page.table(["keyword", "value"], same, text=(0, 1), kind="narrow")]
    return blocks


def _values(study: Study, name: str) -> str:
    values = {repr(row[name]): row[name] for row in study.rows if is_there(row.get(name))}
    try:
        ordered = sorted(values.values())
    except TypeError:
        ordered = list(values.values())
    listed = [shown(value) for value in ordered[:_MOST_VALUES]]
    return ", ".join(listed) + (f" ... {shown(ordered[-1])} ({len(ordered)} values)" if len(ordered) > _MOST_VALUES else "")


def _set_by_deck(study: Study) -> dict[str, object]:
    """Keywords that a deck or a command line has set, and that are the same in all runs."""
    if not study.finished:
        return {name: value for name, value in study.runs[0].deck.items() if name not in study.parameters}
    row = study.finished[0]
    names = made_of_result(str(row["file"]), _names_in_deck, wanted=lambda name, shape: False)
    same = [name for name in row if name in names and name not in study.parameters and not name.startswith(("output.", "run."))]
    return {name: row[name] for name in same if len({repr(other.get(name)) for other in study.finished}) == 1}


def _names_in_deck(result: Result) -> set[str]:
    """The keywords of an effective deck that say where their values come from, unless that is the default."""
    section, names = "", set()
    for line in result.effective_deck.splitlines():
        if line.startswith("["):
            section = line.strip("[] ")
        elif " = " in line and not line.rstrip().endswith("# default"):
            names.add(f"{section}.{line.partition(' = ')[0].strip()}")
    return names


def _runs(study: Study) -> list[str]:
    seconds = "run_seconds" if any(run.seconds for run in study.runs) else "seconds"
    has_attempts = any((run.attempts or 0) > 1 for run in study.runs)
    same = {name: study.finished[0][name] for name in study.results if _is_same(study, name)} if len(study.finished) > 1 else {}
    columns = [*study.parameters[:_MOST_KEYWORDS], *(name for name in study.results if name not in same), *["attempts"] * has_attempts, seconds]
    rows = [[escape(shortened(str(row["run"]), _LONGEST)), page.state_name(str(row["state"])),
             *(escape(shown(row[name]) if isinstance(row.get(name), str) else shortened(cell(row.get(name)), _LONGEST)) for name in columns)]
            for row in study.rows[:_MOST_ROWS]]  # fmt: skip
    titles = [short(name) if "." in name else name.replace("_", " ").replace("/", " / ") for name in columns]
    texts = [place for place, name in enumerate(columns, 2) if any(isinstance(row.get(name), str) for row in study.rows)]
    notes = [f"The same in all runs: {', '.join(f'{short(name)} {cell(value)}' for name, value in same.items())}."] if same else []
    if len(study.rows) > _MOST_ROWS:
        notes.append(f"{len(study.rows) - _MOST_ROWS} more rows are in the table that rankine-postprocess export writes.")
    return [page.table(["run", "state", *titles], rows, text=(1, *texts), names=(0,), kind="runs"), *(page.paragraph(note, "caption") for note in notes)]


def _is_same(study: Study, name: str) -> bool:
    return len({repr(row.get(name)) for row in study.finished}) == 1


def _provenance(study: Study) -> list[str]:
    rows = []
    for name in PROVENANCE:
        if name in ("seconds", "created_utc") or not (values := in_common(study, name)):
            continue
        parts = [part for value in values[:_MOST_VALUES] for part in (value.split("; ") if name in ("libraries", "inputs") else [value])]
        rows.append([escape(_NAMES.get(name, name)), "<br>".join(escape(part) for part in dict.fromkeys(parts))])
    return [page.table(["", ""], rows, text=(0, 1), kind="narrow")] if rows else []


def _foot(study: Study) -> str:
    made = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    names = ", ".join(source.resolve().name for source in study.sources)
    return f"<footer>{escape(f'Made {made} from {names} by rankine-postprocess {__version__}.')}</footer>"
