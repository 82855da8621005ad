"""The command `rankine-postprocess extrapolate`."""

from . import extrapolated, observables
from .reader import read_simulation
from .study import finished_files


def add_extrapolate(commands) -> None:
    command = commands.add_parser("extrapolate", help="values at infinite bond dimension, with an uncertainty")
    command.add_argument("files", metavar="FILE", nargs="+",
                         help="files of rankine-simulate with several bond dimensions, together or one each; or folders of them")  # fmt: skip
    command.add_argument("-o", "--output", metavar="FIGURE", help="also draw them: .png, .pdf, .svg")
    command.add_argument("--observable", metavar="NAME", help="default: the magnetization, else the first")
    command.add_argument("--step", type=int, metavar="N", help="after N steps (default: the last measured)")
    command.add_argument("--allow-partial", action="store_true", help="read files whose status is not complete")
    command.set_defaults(run=_run)


def _run(options) -> int:
    simulations = [read_simulation(file, allow_partial=options.allow_partial) for file in finished_files(options.files)]
    observable = observables.choose(simulations, options.observable)
    rows = extrapolated.extrapolated(simulations, observable, options.step)
    print(extrapolated.report(rows, observable))
    if options.output is not None:
        from . import extrapolated_figure, figure  # matplotlib takes a second to load

        figure.save(extrapolated_figure.draw(rows, simulations, observable), options.output)
    return 0
