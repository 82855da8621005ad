"""Runs of rankine-compress that are told to stop, in every way there is, and go on until they are done."""

import contextlib
import random
import signal
import subprocess
import time

from conftest import HANG_SECONDS, RESULT, Program

WAYS = ("SIGTERM", "SIGINT", "SIGUSR1", "file", "time")


def stopped_after(program: Program, sections: dict, way: str, seconds: float, ranks: int | None = None) -> tuple[int, str]:
    """Exit code and log of a run that is told to stop when it has computed for so long."""
    timed = {"run": sections["run"] | {"wall_time_limit": seconds}} if way == "time" else {}
    command = program.command(program.deck(**sections | timed), ranks=ranks)
    log, stop_file = program.folder / "log", program.folder / (RESULT + ".stop")
    deadline = time.monotonic() + HANG_SECONDS
    with log.open("w") as stream, subprocess.Popen(command, cwd=program.folder, stdout=subprocess.DEVNULL, stderr=stream) as process:
        while process.poll() is None and "rankine-compress " not in log.read_text():
            time.sleep(0.01)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=HANG_SECONDS if way == "time" else seconds)
        if way.startswith("SIG") and process.poll() is None:
            process.send_signal(getattr(signal, way))
        while process.poll() is None:
            if way == "file":
                stop_file.touch()
            if time.monotonic() > deadline:
                process.kill()
            time.sleep(0.05)
    stop_file.unlink(missing_ok=True)
    return process.returncode, log.read_text()


def go_on_until_done(program: Program, sections: dict, numbers: random.Random, ranks: int | None, ways: tuple) -> int:
    """Stops a run at random by these ways in turn, until it is done; how often it was stopped."""
    for stops in range(60):
        seconds = numbers.uniform(0.1, 0.6) * (1 + stops / 2)  # a slow machine gets on, too
        code, log = stopped_after(program, sections, ways[stops % len(ways)], seconds, ranks)
        if code == 0:
            return stops
        assert code == 75, log
        assert "; the same command goes on\n" in log, log
    raise AssertionError("the run does not come to an end")
