"""The command `rankine-postprocess`: table, plot, compare, bench, scaling; those of any kind of file are in file_commands.py, those of many
runs in study_commands.py.

Exit codes: 0 done, 1 two things differ (beyond the tolerance), 2 input that cannot be used.
"""

import argparse
import os
import sys

from . import comparison, compression, content_table, distill_table, distillation, file_commands, image_table, observables, paired_comparison
from . import run_table, study_table, table, window_scores
from .chat_text import add_chat_text
from .curve_file import read_curve_file
from .curves import Axis
from .errors import InputError
from .extrapolate_command import add_extrapolate
from .image_result import OF_IMAGES, is_of_images, read_image_result, type_of
from .kinds import READERS
from .reader import FILETYPE, read_simulation
from .result import open_result
from .result_header import is_hdf5
from .study import read_study
from .study_commands import add_study_commands
from .tasks_command import add_tasks
from .version import __version__
from .window_scores import read_window_scores

DONE, BEYOND_TOLERANCE, BAD_INPUT = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a title may hold what the terminal cannot show
    try:
        code = options.run(options)
        print(end="", flush=True)
        return code
    except InputError as error:
        print(f"rankine-postprocess: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:  # the reader, `head` for instance, has seen enough
        _drop_output()
        return DONE
    except OSError as error:  # of standard output: reading and drawing raise InputError
        _drop_output()
        print(f"rankine-postprocess: the output cannot be written ({error.strerror}).", file=sys.stderr)
        return BAD_INPUT


def _drop_output() -> None:
    """What is left in the buffer goes nowhere, or Python would try again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rankine-postprocess", description="Tables, figures and comparisons from the result files of Rankine."
    )
    parser.add_argument("--version", action="version", version=f"rankine-postprocess {__version__}")
    commands = parser.add_subparsers(
        required=True, metavar="{list,show,table,diff,export,timing,plot,compare,bench,scaling,plot-sweep,extrapolate,report,tasks,chat-text}"
    )
    _add_table(commands)
    _add_plot(commands)
    _add_compare(commands)
    _add_bench(commands)
    file_commands.add_to(commands, _add_partial)
    add_extrapolate(commands)
    add_study_commands(commands)
    add_tasks(commands)
    _add_scaling(commands)
    add_chat_text(commands)
    return parser


def _add_table(commands) -> None:
    command = commands.add_parser("table", help="print the results of a file, or of several files or a folder a row a run")
    command.add_argument("files", metavar="FILE", nargs="+", help="result files (HDF5), or folders of sweeps or of result files")
    file_commands.add_columns(command)
    steps = command.add_mutually_exclusive_group()
    steps.add_argument("--step", type=int, metavar="N", help="after N steps (default: the last measured)")
    steps.add_argument("--all-steps", action="store_true", help="every measured step")
    _add_partial(command)
    command.set_defaults(run=_run_table)


def _add_plot(commands) -> None:
    command = commands.add_parser("plot", help="draw an observable and its error, or compressed models")
    command.add_argument("files", metavar="FILE", nargs="+", help="result files (HDF5)")
    command.add_argument("-o", "--output", required=True, metavar="FIGURE", help="figure to write: .png, .pdf, .svg")
    command.add_argument("--observable", metavar="NAME", help="default: the magnetization, else the first")
    command.add_argument("--step", type=int, metavar="N", help="after N steps (default: the last measured)")
    command.add_argument(
        "--against", choices=[axis.value for axis in Axis],
        help="horizontal axis (default: theta_h if there are several, else step)",
    )  # fmt: skip
    command.add_argument(
        "--view",
        choices=["experiments", "sensitivity", "tradeoff", "layers", "healing",
                 "adapters", "noise-map", "disentanglers",
                 "cuts", "norm-loss", "epochs", "accuracy", "confusion",
                 "slices", "time-line", "speed-up", "images", "slice-epochs",
                 "windows", "tasks", "timing"],
        help="of compressed language models: changed values of clustered weights, what each layer and kind of matrix "
        "matters, perplexity against size, kept part of every weight, loss of healing, perplexity against the blocks of "
        "adapters, and with these as noisy circuits, circuits of gates against their depth; of image networks: accuracy lost to "
        "cuts, norm lost beside it, accuracy of every epoch, accuracy against size, confusion matrix; of distilled networks, "
        "those too: feature error of every slice, who trained what when, speed-up against teams, scores against size "
        "(accuracy) and against images, feature error of every epoch; of language models the loss on each window, and accuracies in tasks; of any file where "
        "the time went (default: what the files hold)",
    )  # fmt: skip
    command.add_argument(
        "--overlay", action="append", default=[], metavar="CURVE.csv",
        help="also draw this curve (columns theta_h, value), labelled with its file name; may be repeated",
    )  # fmt: skip
    _add_partial(command)
    command.set_defaults(run=_run_plot)


def _add_compare(commands) -> None:
    command = commands.add_parser("compare", help="hold results against a reference, or two networks against each other")
    command.add_argument("file", metavar="FILE", help="result file (HDF5)")
    command.add_argument("reference", metavar="REFERENCE",
                         help="two columns, theta_h (rad) and value, or another result file; of a network another result file")  # fmt: skip
    command.add_argument("--observable", metavar="NAME", help="default: the magnetization, else the first")
    command.add_argument("--step", type=int, metavar="N", help="after N steps (default: the last measured)")
    command.add_argument("--bond-dimension", type=int, metavar="N", help="of a sweep (default: the largest)")
    command.add_argument("--tolerance", type=file_commands.distance, metavar="T", help="exit with 1 if a difference exceeds T")
    _add_partial(command)
    command.set_defaults(run=_run_compare)


def _add_bench(commands) -> None:
    command = commands.add_parser("bench", help="draw results of rankine-bench")
    command.add_argument("files", metavar="FILE", nargs="+", help="benchmark files (HDF5), one per rank count")
    command.add_argument("-o", "--output", required=True, metavar="FIGURE", help="figure to write: .png, .pdf, .svg")
    command.set_defaults(run=_run_bench)


def _add_scaling(commands) -> None:
    command = commands.add_parser("scaling", help="draw predictions of scripts/study_scaling")
    command.add_argument("file", metavar="FILE", help="table of predictions (CSV)")
    command.add_argument("-o", "--output", required=True, metavar="FIGURE", help="figure to write: .png, .pdf, .svg")
    command.set_defaults(run=_run_scaling)


def _add_partial(command) -> None:
    command.add_argument("--allow-partial", action="store_true", help="read files whose status is not complete")


def _run_table(options) -> int:
    has_folders = any(os.path.isdir(file) for file in options.files)
    if len(options.files) > 1 or options.columns or has_folders:
        if options.all_steps:
            raise InputError("--all-steps is for one file. Drop it, or name one.")
        if has_folders:
            print(study_table.table(read_study(options.files, step=options.step), options.columns))
            return DONE
        print(run_table.table(options.files, columns=options.columns, step=options.step, allow_partial=options.allow_partial))
        return DONE
    (file,) = options.files
    filetype = type_of(file)
    if filetype != FILETYPE:
        return _print_tables(file, filetype, options)
    simulation = read_simulation(file, allow_partial=options.allow_partial)
    indices = list(range(len(simulation.steps))) if options.all_steps else [simulation.step_index(options.step)]
    print(table.header(simulation, indices), table.table(simulation, indices), sep="\n\n")
    return DONE


def _print_tables(file: str, filetype: str, options) -> int:
    if options.step is not None or options.all_steps:
        raise InputError("--step and --all-steps are for files of rankine-simulate. Drop them.")
    tables = _TABLES.get(filetype, content_table)
    result = (READERS[filetype] if filetype in _TABLES else open_result)(file, allow_partial=options.allow_partial)
    print(tables.header(result), tables.tables(result), sep="\n\n")
    return DONE


# Kinds of files with tables of their own.
_TABLES = {distillation.FILETYPE: distill_table, OF_IMAGES: image_table}


def _run_plot(options) -> int:
    from . import figure, plots  # matplotlib takes a second to load; the other commands do without

    request = plots.Request(
        view=options.view,
        observable=options.observable,
        step=options.step,
        against=options.against,
        overlays=tuple(options.overlay),
        allow_partial=options.allow_partial,
    )
    figure.save(plots.draw(options.files, request), options.output)
    return DONE


def _run_bench(options) -> int:
    from . import figure, plots

    for file in options.files:
        if not (kind := type_of(file)).startswith("rankine-bench"):
            raise InputError(f"{file}: filetype is '{kind}' (bench draws files of rankine-bench; plot draws all). Draw it with plot.")
    figure.save(plots.draw(options.files, plots.Request()), options.output)
    return DONE


def _run_scaling(options) -> int:
    from . import figure, scaling

    figure.save(scaling.draw(scaling.read_scaling(options.file)), options.output)
    return DONE


def _run_compare(options) -> int:
    filetype = type_of(options.file)
    if is_of_images(options.file) or filetype in _OF_LANGUAGE:
        return _compare_networks(options)
    simulation = read_simulation(options.file, allow_partial=options.allow_partial)
    observable = observables.choose([simulation], options.observable)
    found = comparison.compare(
        simulation,
        _reference_curve(options, observable),
        observable,
        step=options.step,
        max_bond_dimension=options.bond_dimension,
    )
    print(comparison.report(found))
    if options.tolerance is None:
        return DONE
    within = bool(found.difference.max() <= options.tolerance)
    print(f"tolerance                {options.tolerance:.3e}: {'met' if within else 'EXCEEDED'}")
    return DONE if within else BEYOND_TOLERANCE


def _reference_curve(options, observable: str):
    """From a file of two columns, or from another result file."""
    if not is_hdf5(options.reference):
        return read_curve_file(options.reference)
    return read_simulation(options.reference, allow_partial=options.allow_partial).curve(observable, step=options.step)


def _compare_networks(options) -> int:
    for name in ("observable", "step", "bond_dimension", "tolerance"):
        if getattr(options, name) is not None:
            raise InputError(f"--{name.replace('_', '-')} is for files of rankine-simulate. Drop it.")
    are_of_images = [is_of_images(file) for file in (options.file, options.reference)]
    if are_of_images[0] != are_of_images[1]:
        of_images, other = (options.file, options.reference)[:: 1 if are_of_images[0] else -1]
        raise InputError(f"{other}: not the result file of an image network, as {of_images} is.")
    read_one, pairs = (read_image_result, paired_comparison) if are_of_images[0] else (read_window_scores, window_scores)
    pair = [read_one(file, allow_partial=options.allow_partial) for file in (options.file, options.reference)]
    print(pairs.report(pairs.compare(*pair)))
    return DONE


# Programs whose files are of language models where they are not of image networks.
_OF_LANGUAGE = ("rankine-evaluate", compression.FILETYPE, distillation.FILETYPE)
