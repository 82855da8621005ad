"""Wakes the one thread there is when a program ended, or when this process is asked to stop."""

import contextlib
import os
import select
import signal

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP)


class Bell:
    def __enter__(self):
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._previous = {number: signal.getsignal(number) for number in (*STOP_SIGNALS, signal.SIGCHLD)}
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number, handler in self._previous.items():
            if handler != signal.SIG_IGN or number == signal.SIGCHLD:  # what was to be ignored still is
                signal.signal(number, lambda *_: None)
        return self

    def __exit__(self, *_):
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        os.close(self._reader)
        os.close(self._writer)

    def wait(self, seconds: float) -> list[str]:
        """Until something happens, or so long; the names of the stop signals that came."""
        select.select([self._reader], [], [], seconds)
        rung = b""
        with contextlib.suppress(BlockingIOError):
            rung = os.read(self._reader, 4096)
        return [signal.Signals(number).name for number in rung if number in STOP_SIGNALS]
