"""kill -9 at any moment, of the sweep alone or with its programs: nothing is lost, and nothing is run again once it is done."""

import random
import time

from conftest import HANG_SECONDS, children_of, kill, wait_until

N_KILLS = 100
N_RUNS = 101
SWEEP = f"""[sweep.product]
"sleep.seconds" = {{ from = 0.04, to = 0.16, count = {N_RUNS} }}
"""


def results(sweep) -> set[str]:
    return {path.parent.name for path in sweep.folder.glob("runs/*/result.h5")}


def check_index(sweep) -> None:
    """Whole, and never ahead of what there is."""
    if not (sweep.folder / "sweep.sqlite").exists():
        return
    rows = sweep.index()
    assert len(rows) == N_RUNS
    assert {row["hash"] for row in rows if row["state"] == "done"} <= results(sweep)


def start_and_kill(sweep, choose: random.Random, seconds: float) -> bool:
    """Whether something was under way when it was killed."""
    verb = choose.choice([("run", "--resume"), ("work",)]) if (sweep.folder / "sweep.sqlite").exists() else ("run", "--resume")
    with sweep.under_way(*verb, "--teams", 3) as process:
        time.sleep(seconds)
        programs = children_of(process.pid)
        kill([process.pid] + (programs if choose.random() < 0.5 else []))
        return bool(programs)


def test_a_hundred_kills(sleepy):
    sweep, choose = sleepy(SWEEP), random.Random(17)
    with sweep.under_way("run", "--teams", 3) as process:  # the first one may prepare all runs
        wait_until((sweep.folder / "sweep.sqlite").exists)
        process.kill()
    began = time.monotonic()
    sweep.rows()
    start_up = time.monotonic() - began
    kept, n_under_way = set(), 0
    for _ in range(N_KILLS):
        n_under_way += start_and_kill(sweep, choose, choose.uniform(0, 2.5) * start_up)
        found = results(sweep)
        assert kept <= found
        kept = found
        check_index(sweep)
    print(f"{n_under_way} of {N_KILLS} kills met programs; {len(kept)} of {N_RUNS} runs done by then")
    deadline = time.monotonic() + HANG_SECONDS
    while (outcome := sweep.run("--resume", "--teams", 8)).code == 75:  # programs that outlived their sweep
        assert time.monotonic() < deadline, outcome.err
    assert outcome.code == 0, outcome.err
    assert [row["state"] for row in sweep.index()] == N_RUNS * ["done"]
    assert results(sweep) == {row["hash"] for row in sweep.index()}
    assert not sweep.complaints()
    assert n_under_way > N_KILLS / 4


def test_kills_while_runs_are_prepared(sleepy):
    """From nothing; the folders that are there are whole or are made again."""
    sweep, choose = sleepy(SWEEP), random.Random(18)
    for _ in range(4):
        with sweep.under_way("run", "--resume", "--teams", 3) as process:
            time.sleep(choose.uniform(0.1, 0.8))
            process.kill()
        check_index(sweep)
    wait_until(lambda: sweep.run("--resume", "--teams", 8).code == 0)
    assert len(results(sweep)) == N_RUNS and not sweep.complaints()
