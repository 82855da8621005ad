"""The command `rankine-sweep`: run, status, and what job scripts call.

Exit codes: 0 all runs are done, 1 some failed, 2 input that cannot be used, 3 files that cannot be written, 75 not all are done: the same command goes on.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

from . import slurm, status, submission
from .allocation import Allocation
from .clock import counted, duration
from .deck import Deck, read_deck
from .errors import InputError
from .exit_codes import BAD_INPUT, DONE, GOES_ON, NO_RESOURCE, SOME_FAILED
from .need import Need, need_of
from .program import check_runs, find_program
from .run_folder import BY_SIGNAL, TO_DO, State
from .runs import Run, describe, runs_of
from .site import HERE, Site, read_site
from .sweep_folder import SweepFolder
from .teams import Means, Outcome, Teams

PLAIN_SLURM = "plain_slurm"


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
    except KeyboardInterrupt:  # nothing has been started
        return BY_SIGNAL + signal.SIGINT
    except BrokenPipeError:  # the reader, `head` for instance, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        print(f"rankine-sweep: Cannot go on, {error.filename} ({error.strerror}). Mend that, and start again with --resume.", file=sys.stderr)
        return NO_RESOURCE


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
    verb.add_argument("--ranks", type=_positive, metavar="N", help="ranks of each run (default: 1; of jobs, as --check says)")
    verb.add_argument("--sbatch", action="append", default=[], metavar="OPTION",
                      help="a further option of sbatch, --sbatch=--time=02:00:00; may be repeated")  # fmt: skip
    verb.add_argument("--print", action="store_true", help="check all runs, show them or the script of their jobs, and stop")
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
    verb.add_argument("--run", default="", metavar="HASH", help="this run alone; its exit code is the program's")
    _add_means(verb)
    verb.set_defaults(act=_work)


def _add_means(verb) -> None:
    verb.add_argument("--site", metavar="NAME|FILE", help="one of jobscripts/sites, or a file like these (default: this_machine; of jobs, plain_slurm)")
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
    program, site = find_program(options.program or deck.program), _site(options, options.via != "here")
    if options.via == "array" or (options.via == "allocation" and not _is_in_job()):
        return _submit(options, deck, runs, folder, site, program)
    checks = check_runs(program, folder.missing(runs), options.ranks or 1)
    if options.print:
        return _print(program, runs, checks)
    folder.prepare(deck, runs, options.ranks)
    _let_failed_try_again(folder)
    work = _work_here if options.via == "here" else _work_in_allocation
    return _finish(work(options, folder, site, program))


def _is_in_job() -> bool:
    return "SLURM_JOB_ID" in os.environ


def _site(options, is_slurm: bool) -> Site:
    return read_site(options.site or (PLAIN_SLURM if is_slurm else HERE))


def _print(program: str, runs: list[Run], checks: dict[str, str]) -> int:
    for run in runs:
        print(f"run {run.number}  {run.hash}  {describe(run.parameters)}{'' if run.hash in checks else '  (has a folder)'}")
    print(f"{counted(len(runs), 'run')} of {program}, {len(checks)} of them new")
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


def _submit(options, deck: Deck, runs: list[Run], folder: SweepFolder, site: Site, program: str) -> int:
    """Hands to Slurm what is missing and in no job yet."""
    rows = folder.rows() if folder.runs.is_dir() else []
    done = {row.hash for row in rows if row.standing.state is State.DONE}
    left = [run for run in runs if run.hash not in done]
    ranks = options.ranks or (_most_ranks(folder) if rows else 0)
    need = need_of(program, left, site, ranks, as_many=site.node.whole and options.via == "array")
    hashes = [run.hash for run in left]
    if not options.print:
        slurm.require()
        folder.prepare(deck, runs, need.ranks)
        _let_failed_try_again(folder)
        hashes = submission.waiting_for_none(folder, folder.rows())
    request = _request(options, site, program, need, len(hashes))
    for part, some in submission.parts_of(folder, hashes, request):
        print(part.script(folder, some, request) if options.print else
              f"job {part.submit(folder, some, request)}: {counted(len(some), 'run')} of {counted(need.ranks, 'rank')}, {need.memory_mib} MiB a rank")  # fmt: skip
    if not hashes:
        print("Nothing to submit: every run is done, or in a job that waits or runs.")
    return DONE


def _request(options, site: Site, program: str, need: Need, n_runs: int) -> submission.Request:
    """Teams of an allocation fill a node, unless the user says how many."""
    argument = str(Path(options.site).resolve()) if options.site and options.site.endswith(".toml") else site.name
    teams = options.teams or max(1, site.node.cores // (need.ranks * site.cores_per_rank))
    n_teams = min(teams, n_runs) if options.via == "allocation" else 0
    return submission.Request(site, argument, os.path.abspath(program), need, n_teams, tuple(options.sbatch))


def _work_here(options, folder: SweepFolder, site: Site, program: str) -> Outcome:
    cores, ranks = len(os.sched_getaffinity(0)), _most_ranks(folder, _only(options))
    n_teams = 1 if _only(options) else options.teams or max(1, cores // ranks)
    return Teams(folder, Means(site, program, max(1, cores // (n_teams * ranks)), only=_only(options)), n_teams).run()


def _work_in_allocation(options, folder: SweepFolder, site: Site, program: str) -> Outcome:
    ranks = _most_ranks(folder, _only(options))
    allocation = Allocation.of_job(os.environ)
    n_teams = 1 if _only(options) else options.teams or max(1, allocation.n_tasks // ranks)
    hosts = allocation.hosts_of_teams(n_teams, ranks) if site.launcher == "mpirun" else ()
    return Teams(folder, Means(site, program, allocation.cores_per_task, hosts=hosts, only=_only(options)), n_teams).run()


def _only(options) -> str:
    """The run that `work` is told to do alone."""
    return getattr(options, "run", "")


def _most_ranks(folder: SweepFolder, only: str) -> int:
    return max((one["ranks"] for one in folder.descriptions(only)), default=1)


def _finish(outcome: Outcome) -> int:
    """Says how all runs stand."""
    for row in outcome.rows:
        if row.standing.message:
            print(f"run {row.number} ({describe(row.parameters)}) {row.standing.state}: {row.standing.message}")
    _print_outcome(outcome)
    states = {row.standing.state for row in outcome.rows}
    if states & {*TO_DO, State.RUNNING}:
        return GOES_ON
    return SOME_FAILED if State.FAILED in states else DONE


def _print_outcome(outcome: Outcome) -> None:
    if outcome.ended:
        print(f"{counted(len(outcome.ended), 'program')} ended in {duration(outcome.seconds)}, teams were busy {100 * outcome.busy:.1f} % of it")
    print(status.summary(outcome.rows))


def _status(options) -> int:
    folder = SweepFolder(options.folder)
    folder.require_prepared()
    rows = folder.rows()
    shown = submission.with_jobs(folder, rows)
    print(status.as_json(shown) if options.json else status.as_table(shown))
    try:
        folder.write_index(rows)
    except OSError as error:
        print(f"rankine-sweep: the index is not brought up to date ({error.strerror})", file=sys.stderr)
    return DONE


def _work(options) -> int:
    folder = SweepFolder(options.folder)
    folder.require_prepared()
    work = _work_in_allocation if _is_in_job() else _work_here
    outcome = work(options, folder, _site(options, _is_in_job()), find_program(options.program) if options.program else "")
    _print_outcome(outcome)
    if options.run:
        return _code_of_run(options.run, outcome)
    ended = {row.standing.state for row in outcome.ended}
    if outcome.was_stopped or State.STOPPED in ended:
        return GOES_ON
    return SOME_FAILED if ended - {State.DONE} else DONE


def _code_of_run(hash: str, outcome: Outcome) -> int:
    """What the program said; of a run that another works on, that it cannot be used."""
    standing = next((row.standing for row in outcome.rows if row.hash == hash), None)
    if standing is None:
        raise InputError(f"There is no run {hash} of this sweep. See rankine-sweep status.")
    if standing.state is State.RUNNING:
        raise InputError(f"Cannot take run {hash} (it is worked on by {standing.message}). Wait until that has ended.")
    if standing.state is State.STOPPED or (standing.state is State.WAITING and outcome.was_stopped):
        return GOES_ON
    return DONE if standing.state is State.DONE else standing.exit_code or SOME_FAILED
