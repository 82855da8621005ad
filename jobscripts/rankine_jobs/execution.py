"""One attempt at a run: the program is started, waited for, and its end is noted in the run's folder."""

import signal
import subprocess
import time

from .claim import Claim
from .clock import now_text
from .environment import environment_text
from .exit_codes import GOES_ON
from .log_lines import error_in, stop_in, text_since
from .run_folder import BY_SIGNAL, RunFolder

CANNOT_START = 127
REQUESTS = (signal.SIGUSR1, signal.SIGTERM, signal.SIGKILL)  # mpirun and srun hand the first one on


class Execution:
    """Its claim is released by `finish`; should this process be killed, by the end of the program."""

    def __init__(self, folder: RunFolder, claim: Claim):
        self.folder, self._claim = folder, claim
        self._n_requests = 0
        self._code: int | None = None
        self._process: subprocess.Popen | None = None

    def start(self, command: list[str], program: str, environment: dict[str, str]) -> None:
        self.folder.environment.write_text(environment_text(command, program, environment))
        self._began = time.monotonic()
        self.folder.began(job_id=environment.get("SLURM_JOB_ID", ""))
        with open(self.folder.log, "ab") as log:
            log.write(f"== {now_text()} {' '.join(command)}\n".encode())
            log.flush()
            self._offset = log.tell()
            try:
                self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                                                 process_group=0, pass_fds=[self._claim.descriptor])  # fmt: skip
            except OSError as error:
                log.write(f"error: cannot start {command[0]} ({error.strerror})\n".encode())
                self._code = CANNOT_START

    def has_ended(self) -> bool:
        if self._process and self._code is None and (code := self._process.poll()) is not None:
            self._code = code if code >= 0 else BY_SIGNAL - code
        return self._code is not None or self._process is None

    def ask_to_stop(self) -> None:
        """The first time so that the run can go on later, the second time at once, the third time for sure."""
        if self._process:
            self._process.send_signal(REQUESTS[min(self._n_requests, len(REQUESTS) - 1)])
            self._n_requests += 1

    def finish(self):
        """Notes the end; returns how the run stands."""
        said = text_since(self.folder.log, self._offset)
        if self._n_requests and 0 < self._code < BY_SIGNAL and self._code != GOES_ON and "error: " not in said:
            self._code = BY_SIGNAL + signal.SIGTERM  # mpirun says 1 when it is told to end
        self.folder.ended(self._code, self.seconds, self._message(said), self._n_requests > 0)
        standing = self.folder.standing_unclaimed()
        self._claim.release()
        return standing

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def _message(self, said: str) -> str:
        if self._code == GOES_ON:
            return stop_in(said)
        if self._code == 0:
            return "" if self.folder.result.exists() else f"it ended well, but left no {self.folder.result.name}"
        if self._code > BY_SIGNAL and "error: " not in said:
            return f"ended by {signal.Signals(self._code - BY_SIGNAL).name}"
        return error_in(said)
