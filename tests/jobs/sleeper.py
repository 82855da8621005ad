"""A program that sleeps [sleep].seconds and then does what .then says; complains when it is started where it should not be."""

import fcntl
import os
import signal
import sys
import time
import tomllib
from pathlib import Path

options = tomllib.loads(Path(sys.argv[1]).read_text())["sleep"]
result = Path(next(one for one in sys.argv if one.startswith("output.file=")).removeprefix("output.file="))
folder = result.parent


def complain(text):
    with open(folder / "complaints", "a") as file:
        file.write(f"{folder.name}: {text}\n")


def stop(number, _):
    print(f"12:00:00 stopped by {signal.Signals(number).name}: kept all of it; the same command goes on", file=sys.stderr)
    os._exit(75)


signal.signal(signal.SIGUSR1, stop)
if options["then"] == "ending":  # as mpirun ends whose ranks do not stop in time
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(1))
alive = open(folder / "alive", "w")
try:
    fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    complain("two at once")
if result.exists():
    complain("started after its completion")
print("12:00:00 sleeping", file=sys.stderr, flush=True)
time.sleep(options["seconds"])
match options["then"]:
    case "fail":
        sys.exit("12:00:01 error: it did not work. Try something else.")
    case "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    case "nothing":
        sys.exit(0)
    case "die":
        os.kill(os.getpid(), signal.SIGKILL)
    case "wait":
        while not (folder / "go").exists():
            time.sleep(0.02)
    case "stop":
        stop(signal.SIGTERM, None)
partial = folder / "result.h5.partial"
partial.write_text("all of it")
partial.rename(result)
