"""The commands that take result files of any kind: list, show, diff, export, timing."""

from . import difference, export, result_folder, show
from .content_table import group_text
from .errors import InputError
from .labelled import table_of
from .profile import has_profile, profile_of, read_profile, table
from .result import RESULTS, made_of_result, open_result
from .run_table import require_columns

DONE, DIFFERENT = 0, 1


def add_to(commands, allow_partial) -> None:
    """Their parsers; `allow_partial` adds the option of that name to one."""
    command = commands.add_parser("list", help="the result files in a folder and below it, unfinished ones too")
    command.add_argument("folder", metavar="FOLDER", nargs="?", default=".", help="default: the one this is started in")
    command.set_defaults(run=_run_list)

    command = commands.add_parser("show", help="print the deck, the log, the provenance or the inputs of a run")
    command.add_argument("file", metavar="FILE", help="result file (HDF5)")
    command.add_argument("part", choices=list(show.PARTS), help="edges and gates are those a file of rankine-simulate holds")
    command.set_defaults(run=_run_show)

    command = commands.add_parser("diff", help="what two runs differ in: decks, versions, inputs, results")
    command.add_argument("first", metavar="A", help="result file (HDF5)")
    command.add_argument("second", metavar="B", help="result file (HDF5)")
    command.add_argument("--tolerance", type=distance, default=0.0, metavar="T",
                         help="results that differ by T, relative to the largest value of a dataset, are the same (default: 0)")  # fmt: skip
    command.set_defaults(run=_run_diff)
    _add_export(commands, allow_partial)

    command = commands.add_parser("timing", help="where the time of runs went, stage by stage and rank by rank")
    command.add_argument("files", metavar="FILE", nargs="+", help="result files (HDF5)")
    command.add_argument("-o", "--output", metavar="FIGURE", help="also draw it, a bar for each rank: .png, .pdf, .svg")
    allow_partial(command)
    command.set_defaults(run=_run_timing)


def _add_export(commands, allow_partial) -> None:
    command = commands.add_parser("export", help="write runs as a table for other programs: a row a run, or values of datasets")
    command.add_argument("files", metavar="FILE", nargs="+", help="result files (HDF5), or folders of sweeps or of result files")
    command.add_argument("-o", "--output", metavar="TABLE", help="file to write (default: standard output)")
    command.add_argument("--format", choices=export.FORMATS, help="default: what the file's name ends in, else csv")
    command.add_argument("--values", action="append", default=[], metavar="NAME",
                         help="a row for each element of this dataset or group of /results, in place of a row a run; may be repeated")  # fmt: skip
    command.add_argument("--step", type=int, metavar="N",
                         help="of rankine-simulate: after N steps (default: the last measured)")  # fmt: skip
    add_columns(command)
    allow_partial(command)
    command.set_defaults(run=_run_export)


def add_columns(command) -> None:
    command.add_argument("--columns", type=_names, default=[], metavar="A,B,...", help="results and keywords of the deck to show")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def distance(text: str) -> float:
    """A number from 0; argparse turns the ValueError into its message."""
    value = float(text)
    if not value >= 0:
        raise ValueError
    return value


def _run_list(options) -> int:
    print(result_folder.listing(options.folder))
    return DONE


def _run_show(options) -> int:
    print(made_of_result(options.file, show.PARTS[options.part], wanted=lambda name, shape: not name.startswith(f"{RESULTS}/")))
    return DONE


def _run_diff(options) -> int:
    first, second = open_result(options.first), open_result(options.second)
    found = difference.compare(first, second, tolerance=options.tolerance)
    print(difference.report(first, second, found))
    return DIFFERENT if found else DONE


def _run_export(options) -> int:
    columns = table_of(options.files, values=options.values, step=options.step, allow_partial=options.allow_partial)
    if options.columns:
        require_columns(options.columns, [columns])
        columns = {name: columns[name] for name in options.columns}
    export.write(columns, options.output, export.format_of(options.output, options.format))
    return DONE


def _run_timing(options) -> int:
    texts = [made_of_result(file, _timing, allow_partial=options.allow_partial) for file in options.files]
    print("\n\n".join(texts))
    if options.output is not None:
        from . import figure, profile_figure  # matplotlib takes a second to load

        profiles = [read_profile(file, allow_partial=options.allow_partial) for file in options.files]
        figure.save(profile_figure.draw(profiles), options.output)
    return DONE


def _timing(result) -> str:
    """The profile; of an older file the times it has."""
    if has_profile(result):
        return table(profile_of(result))
    times = group_text(result, "timing")
    if not times:
        raise InputError(f"{result.path}: the file holds no times.")
    return f"{result.path}: no profile of ranks\n\n{times}"
