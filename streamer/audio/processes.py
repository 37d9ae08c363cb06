"""Starts decoder processes, one for each container stream, by way of one server that forks them.

Why not ``multiprocessing``'s own fork server: its children import the program's main module, which takes longer than
decoding; it needs a writable folder and a second helper process; and the children inherit the environment with its
secrets. Nothing here depends on an event loop.
"""

import os
import socket
import subprocess
import sys
from typing import NamedTuple

from streamer.audio.limits import DecoderLimits

INHERITED = frozenset({"HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TZ"})
"""Variables of the environment that the server gets, besides Python's own. Others may be secrets."""

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""numpy's BLAS would start threads in the server, which must not have any when it forks."""


class Ends(NamedTuple):
    """The gateway's ends of two sockets: for a stream, and for the life of the process that decodes it.

    ``stream`` takes the bytes and returns messages (``decoder_messages``). ``life`` returns the exit status once, and
    nothing if the server died; shut it down to kill the process. Both are non-blocking.
    """

    stream: socket.socket
    life: socket.socket


class DecoderProcesses:
    """Starts decoder processes. The server is started with the first one, and again when it has died."""

    def __init__(self, limits: DecoderLimits | None = None) -> None:
        self.limits = limits or DecoderLimits()
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._retired: list[subprocess.Popen[bytes]] = []

    @property
    def server(self) -> int | None:
        """The process id of the server, once it was started."""
        return None if self._server is None else self._server.pid

    def begin(self) -> Ends:
        """Start a process, without waiting for it. Raises ``OSError`` if that is not possible."""
        stream, its_stream = socket.socketpair()
        life, its_life = socket.socketpair()
        ends = Ends(stream, life)
        try:
            for sock in ends:
                sock.setblocking(False)
            self._send([its_stream.fileno(), its_life.fileno()])
        except OSError:
            for sock in ends:
                sock.close()
            raise
        finally:
            its_stream.close()
            its_life.close()
        return ends

    def retire(self) -> None:
        """Start a new server for the next process. This one ends with its last process, if it has not died."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._server is not None:
            self._retired.append(self._server)
            self._server = None
        self._retired = [server for server in self._retired if server.poll() is None]

    def reap(self) -> None:
        """Take note that the server may have died."""
        if self._server is not None and self._server.poll() is not None:
            self.retire()

    def close(self) -> None:
        """Kill the server and all processes, and wait for their end."""
        self.retire()
        for server in self._retired:
            server.kill()  # its children die with it, and nothing has to be saved
            server.wait()
        self._retired = []

    def _send(self, descriptors: list[int]) -> None:
        self.reap()
        if self._control is not None:
            try:
                socket.send_fds(self._control, [b"\0"], descriptors)
            except ConnectionError:  # it is dying
                self.retire()
            else:
                return
        socket.send_fds(self._start(), [b"\0"], descriptors)

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        arguments = [theirs.fileno(), self.limits.memory, self.limits.cpu]
        with theirs:
            try:
                self._server = subprocess.Popen(  # noqa: S603 - a fixed command
                    [sys.executable, "-P", "-m", "streamer.audio.fork_server", *map(str, arguments)],
                    env=_environment(),
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C in the terminal is the gateway's
                )
            except OSError:
                ours.close()
                raise
        self._control = ours
        return ours


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in INHERITED or name.startswith("PYTHON")}
    return kept | ONE_THREAD
