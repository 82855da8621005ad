"""The command `rankine-sweep`: run, status, and what job scripts call.

Exit codes: 0 all runs are done, 1 some failed, 2 input that cannot be used, 75 not all are done: the same command goes on.
"""

import argparse
import os
import sys

from . import status
from .allocation import Allocation
from .clock import duration
from .deck import read_deck
from .errors import InputError
from .exit_codes import BAD_INPUT, DONE, GOES_ON, SOME_FAILED
from .index import Row
from .program import check_runs, find_program
from .run_folder import TO_DO, State
from .runs import Run, describe, runs_of
from .site import HERE, Site, load_site
from .sweep_folder import SweepFolder
from .teams import Means, Outcome, Teams


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns the exit code."""
    try:
        options = _parse(sys.argv[1:] if arguments is None else arguments)
        code = options.act(options)
        print(end="", flush=True)
        return code
    except InputError as error:
        print(f"rankine-sweep: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:  # the reader, `head` for instance, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def _parse(arguments: list[str]) -> argparse.Namespace:
    """Overrides may stand anywhere, before and behind options."""
    options, rest = _parser().parse_known_args(arguments)
    for argument in rest:
        if argument.startswith("-") or "=" not in argument or not hasattr(options, "overrides"):
            raise InputError(f"Cannot use the argument {argument!r}, command line (there is none of that name). See --help.")
        options.overrides.append(argument)
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rankine-sweep", description="Many runs from one deck, and one run as well.")
    verbs = parser.add_subparsers(required=True, metavar="{run,status,work}")
    _add_run(verbs)
    _add_status(verbs)
    _add_work(verbs)
    return parser


def _add_run(verbs) -> None:
    verb = verbs.add_parser("run", help="start what is missing of a deck's runs")
    verb.add_argument("deck", metavar="DECK", help="deck; with [sweep] it is many runs")
    verb.add_argument("folder", metavar="FOLDER", help="where decks, logs and results of the runs lie")
    verb.add_argument("overrides", metavar="section.key=value", nargs="*", help="values that replace those of the deck")
    verb.add_argument("--via", choices=["here", "array", "allocation"], default="here",
                      help="this machine, a Slurm array, or teams in one Slurm allocation (default: here)")  # fmt: skip
    verb.add_argument("--ranks", type=_positive, default=1, metavar="N", help="ranks of each run (default: 1)")
    verb.add_argument("--print", action="store_true", help="check all runs, show them, and stop")
    verb.add_argument("--resume", action="store_true", help="go on in a used folder: missing, stopped, lost and failed runs")
    _add_means(verb)
    verb.set_defaults(act=_run)


def _add_status(verbs) -> None:
    verb = verbs.add_parser("status", help="show how the runs stand, and bring the index up to date")
    verb.add_argument("folder", metavar="FOLDER")
    verb.add_argument("--json", action="store_true", help="a list with everything that is known of each run")
    verb.set_defaults(act=_status)


def _add_work(verbs) -> None:
    verb = verbs.add_parser("work", help="take runs of a prepared folder (job scripts call this)")
    verb.add_argument("folder", metavar="FOLDER")
    verb.add_argument("overrides", metavar="section.key=value", nargs="*", help="values for all runs, over those of their decks")
    verb.add_argument("--team", type=int, metavar="I", help="one team, the I-th of several jobs; they begin at different runs")
    _add_means(verb)
    verb.set_defaults(act=_work)


def _add_means(verb) -> None:
    verb.add_argument("--site", default="", metavar="NAME|FILE", help="where runs are started (default: this machine, mpirun)")
    verb.add_argument("--teams", type=_positive, metavar="N", help="runs at the same time (default: as many as have cores)")
    verb.add_argument("--program", default="", metavar="P", help="path or name (default: what the deck's first line names)")


def _positive(text: str) -> int:
    """argparse turns the ValueError into its message."""
    if (value := int(text)) < 1:
        raise ValueError
    return value


def _run(options) -> int:
    deck = read_deck(options.deck, options.overrides, options.program)
    runs, folder = runs_of(deck), SweepFolder(options.folder)
    if not options.resume:
        folder.require_unused()
    program, site = find_program(options.program or deck.program), load_site(options.site)
    missing = folder.missing(runs)
    checks = check_runs(program, missing, options.ranks)
    if options.print:
        return _print(program, runs, checks)
    folder.prepare(deck, runs, options.ranks)
    _let_failed_try_again(folder)
    return _start(options, folder, site, program)


def _print(program: str, runs: list[Run], checks: dict[str, str]) -> int:
    for run in runs:
        print(f"run {run.number}  {run.hash}  {describe(run.parameters)}{'' if run.hash in checks else '  (has a folder)'}")
    print(f"{len(runs)} runs of {program}, {len(checks)} of them new")
    if checks:
        print(f"the first of these:\n{next(iter(checks.values()))}", end="")
    return DONE


def _let_failed_try_again(folder: SweepFolder) -> None:
    for row in folder.rows():
        run = folder.folder(row.hash)
        if row.standing.state is State.FAILED and (claim := run.claim()):
            if run.standing_unclaimed().state is State.FAILED:
                run.try_again()
            claim.release()


def _start(options, folder: SweepFolder, site: Site, program: str) -> int:
    if options.via == "here":
        return _finish(_work_here(options, folder, site, program).rows)
    if options.via == "allocation" and "SLURM_JOB_ID" in os.environ:
        return _finish(_work_in_allocation(options, folder, site, program).rows)
    raise InputError(f"Cannot submit by --via {options.via} (there is no such way yet). Use --via here.")


def _work_here(options, folder: SweepFolder, site: Site, program: str) -> Outcome:
    cores, ranks = len(os.sched_getaffinity(0)), _most_ranks(folder)
    n_teams = options.teams or max(1, cores // ranks)
    return Teams(folder, Means(site, program, max(1, cores // (n_teams * ranks))), n_teams).run()


def _work_in_allocation(options, folder: SweepFolder, site: Site, program: str) -> Outcome:
    ranks = _most_ranks(folder)
    allocation = Allocation.of_job(os.environ)
    n_teams = options.teams or max(1, allocation.n_tasks // ranks)
    hosts = allocation.hosts_of_teams(n_teams, ranks) if site.launcher == "mpirun" else ()
    return Teams(folder, Means(site, program, allocation.cores_per_task, hosts=hosts), n_teams).run()


def _most_ranks(folder: SweepFolder) -> int:
    return max((one["ranks"] for one in folder.descriptions()), default=1)


def _finish(rows: list[Row]) -> int:
    """Says how all runs stand."""
    for row in rows:
        if row.standing.state is not State.DONE:
            print(f"run {row.number} ({describe(row.parameters)}) {row.standing.state}: {row.standing.message}")
    print(status.summary(rows))
    states = {row.standing.state for row in rows}
    if states & {*TO_DO, State.RUNNING}:
        return GOES_ON
    return SOME_FAILED if State.FAILED in states else DONE


def _status(options) -> int:
    folder = SweepFolder(options.folder)
    folder.require_prepared()
    rows = folder.rows()
    print(status.as_json(rows) if options.json else status.as_table(rows))
    try:
        folder.write_index(rows)
    except OSError as error:
        print(f"rankine-sweep: the index is not brought up to date ({error.strerror})", file=sys.stderr)
    return DONE


def _work(options) -> int:
    folder = SweepFolder(options.folder)
    folder.require_prepared()
    site = load_site(options.site)
    work = _work_in_allocation if "SLURM_JOB_ID" in os.environ else _work_here
    outcome = work(options, folder, site, find_program(options.program) if options.program else "")
    ended = {row.standing.state for row in outcome.ended}
    print(f"{len(outcome.ended)} runs in {duration(outcome.seconds)}, teams busy {100 * outcome.busy:.0f} % of it; "
          + status.summary(outcome.rows))  # fmt: skip
    if outcome.was_stopped or ended & set(TO_DO):
        return GOES_ON
    return SOME_FAILED if State.FAILED in ended else DONE
