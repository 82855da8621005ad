"""The commands of many runs: plot-sweep, report."""

from .study import read_study


def add_study_commands(commands) -> None:
    _add_plot_sweep(commands)
    _add_report(commands)


def _add_plot_sweep(commands) -> None:
    command = commands.add_parser("plot-sweep", help="draw any quantity of many runs against any parameter")
    _add_sources(command)
    command.add_argument("-o", "--output", required=True, metavar="FIGURE", help="figure to write: .png, .pdf, .svg")
    command.add_argument("--quantity", metavar="NAME",
                         help="a result, or an element of a dataset: accuracy, 'site_z[62]', 'healing_loss[-1]' (default: the first key result)")  # fmt: skip
    command.add_argument("--against", metavar="KEYWORD", help="horizontal axis (default: the parameter with most values)")
    command.add_argument("--lines", action="append", metavar="KEYWORD",
                         help="a line for each of its values; may be repeated (default: parameters that tell runs apart)")  # fmt: skip
    command.add_argument("--over", action="append", metavar="KEYWORD", help="averaged over, as keywords that end in 'seed' are; may be repeated")
    command.add_argument("--band", choices=["range", "error"], default="range",
                         help="of runs at the same place: least to largest (default), or the standard error of the mean")  # fmt: skip
    command.add_argument("--log", choices=["x", "y", "xy", "no"], help="logarithmic axes (default: x for powers of two)")
    command.set_defaults(run=_run_plot_sweep)


def _add_report(commands) -> None:
    command = commands.add_parser("report", help="a page of HTML about all runs of a folder, figures and all")
    _add_sources(command)
    command.add_argument("-o", "--output", default="report.html", metavar="PAGE", help="file to write (default: report.html)")
    command.set_defaults(run=_run_report)


def _add_sources(command) -> None:
    command.add_argument("sources", metavar="FOLDER", nargs="+", help="folder of a sweep, or of result files; or result files")
    command.add_argument("--step", type=int, metavar="N", help="simulations after N steps (default: the last measured)")


def _run_plot_sweep(options) -> int:
    from . import axes, figure  # matplotlib takes a second to load

    drawn = axes.plot_sweep(options.sources, quantity=options.quantity, against=options.against, lines=options.lines, over=options.over,
                            band=options.band, log=options.log, step=options.step)  # fmt: skip
    figure.save(drawn.figure, options.output)
    return 0


def _run_report(options) -> int:
    from . import report

    report.write(read_study(options.sources, step=options.step), options.output)
    return 0
