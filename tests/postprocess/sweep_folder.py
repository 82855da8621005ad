"""Makes folders of sweeps as docs/sweeps.md describes them, with chosen runs and what became of them."""

import fcntl
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import compression_file
import result_file
from compression_file import CompressDeck

LOG = "12:00:00 step 1 of 5\n12:00:01 step 2 of 5\nerror: "


@dataclass
class Sweep:
    """A folder with runs of one program."""

    folder: Path
    program: str = "rankine-compress"
    names: list[str] = field(default_factory=list)

    def add(self, parameters: dict, write: Callable[[Path], object] | None = None, *, notes: list[dict] | None = None, log: str = "") -> Path:
        """A run that is done if `write` makes its result; `notes` are its lines of attempts.jsonl."""
        name = hashlib.sha256(json.dumps([self.program, parameters]).encode()).hexdigest()[:12]
        self.names.append(name)
        folder = self.folder / "runs" / name
        folder.mkdir(parents=True)
        (folder / "deck.toml").write_text(_deck(self.program, parameters))
        told = {"number": len(self.names), "hash": name, "program": self.program, "parameters": parameters, "ranks": 2}
        (folder / "run.json").write_text(json.dumps(told))
        if write is not None:
            write(folder / "result.h5")
            notes = notes or [began(), ended(0)]
        if notes:
            (folder / "attempts.jsonl").write_text("".join(json.dumps(note) + "\n" for note in notes))
        if log:
            (folder / "log.txt").write_text(log)
        return folder


def began(when: str = "2026-01-31T12:00:00Z") -> dict:
    return {"began": when, "job_id": "17"}


def ended(exit_code: int, message: str = "", *, was_asked: bool = False, seconds: float = 12.5) -> dict:
    return {"ended": "2026-01-31T12:00:13Z", "exit_code": exit_code, "seconds": seconds, "message": message, "was_asked": was_asked}


def _deck(program: str, parameters: dict) -> str:
    lines = [f"# program: {program}"]
    for key, value in parameters.items():
        section, _, keyword = key.partition(".")
        lines += [f"[{section}]", f"{keyword} = {json.dumps(value)}"] if f"[{section}]" not in lines else [f"{keyword} = {json.dumps(value)}"]
    return "\n".join(lines) + "\n"


def adapters(folder: Path, *, seeds=(1, 2, 3), blocks=(2, 4, 8, 16), kinds=("cayley", "block-diagonal")) -> Sweep:
    """Perplexities that fall with the block, differ between kinds and scatter over seeds."""
    sweep = Sweep(folder)
    for kind in kinds:
        for block in blocks:
            for seed in seeds:
                perplexity = 24.0 - (1.0 if kind == "cayley" else 1.5) * block**0.5 + 0.2 * (seed - 2)
                deck = CompressDeck(adapter=kind, block=block, adapter_seed=seed, perplexity=perplexity, has_weights=False, title="Blocks of adapters",
                                    healing_loss=[3.0, 2.5, 2.0 + 0.01 * block])  # fmt: skip
                sweep.add({"adapter.kind": kind, "adapter.block": block, "adapter.seed": seed},
                          lambda path, deck=deck: compression_file.write(path, deck))  # fmt: skip
    return sweep


def with_every_state(folder: Path) -> Sweep:
    """One run done and one of each other state but running."""
    sweep = adapters(folder, seeds=(1,), blocks=(2,), kinds=("cayley",))
    message = "error: 3 GiB of memory are not enough, memory_plan.cpp:31 (4 GiB are needed). Take more ranks."
    for block, notes in (
        (4, [began(), ended(3, message)]),
        (8, [began(), ended(75, "stopped as asked", was_asked=True), began(), ended(75, "stopped at the wall time limit")]),
        (16, [began()]),
        (32, None),
        (64, [began(), ended(137)]),
    ):
        log = LOG + message + "\n" if notes and len(notes) == 2 else ""
        sweep.add({"adapter.kind": "cayley", "adapter.block": block, "adapter.seed": 1}, notes=notes, log=log)
    return sweep


def simulations(folder: Path, *, angles=(0.2, 0.4, 0.6), bonds=(8, 16, 32)) -> Sweep:
    """A run for each angle and bond dimension of Z62 after nine steps."""
    sweep = Sweep(folder, "rankine-simulate")
    for angle in angles:
        for chi in bonds:
            deck = result_file.Deck(theta_h=[angle], max_bond_dimension=[chi], steps=[5, 9], title="Z62 of Eagle")
            sweep.add({"circuit.theta_h": angle, "state.max_bond_dimension": chi},
                      lambda path, deck=deck: result_file.write(path, deck, {"Z62": lambda theta, chi, step: (1 - theta**2 / 2) ** step - 1 / chi**3}))  # fmt: skip
    return sweep


def held(folder: Path):
    """The claim of a run, locked for as long as what is returned is open."""
    file = open(folder / "claim", "w")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file
