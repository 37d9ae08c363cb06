"""Forks decoder processes: ``python -m streamer.audio.fork_server``, started by ``streamer.audio.processes``.

The gateway itself has threads, keys and other people's speech in memory, so it must not be forked. This process has
imported PyAV once and nothing else happened in it. Its children share that memory.

For each stream the gateway sends two sockets: one for the stream, and one on which the exit status is reported. When
the gateway closes the second one, the process is killed. The server ends with the gateway: when nothing can be sent to
it any more, and its last child has ended.
"""

import contextlib
import ctypes
import gc
import os
import resource
import selectors
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import NoReturn

from captions.audio import NO_AUDIO
from streamer.audio.container_stream import ContainerStream
from streamer.audio.decoder_messages import STATUS
from streamer.audio.decoder_process import decode, limit
from streamer.audio.limits import DecoderLimits

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_SILENCE = struct.pack(
    "<4sI4s4sIHHIIHH4sI", b"RIFF", 4036, b"WAVE", b"fmt ", 16, 1, 2, 48_000, 192_000, 4, 16, b"data", 4000
) + bytes(4000)


class ForkServer:
    """Forks a process for each pair of sockets that arrives on ``control``."""

    def __init__(self, control: socket.socket, limits: DecoderLimits) -> None:
        self._control = control
        self._limits = limits
        self._pid = os.getpid()
        self._selector = selectors.DefaultSelector()
        self._lifelines: dict[int, socket.socket] = {}
        self._woken, self._wake = socket.socketpair()
        self._woken.setblocking(False)
        self._wake.setblocking(False)
        self._accepting = True

    def run(self) -> None:
        """Serve until the gateway has closed ``control`` and all processes have ended."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._control, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        while self._accepting or self._lifelines:
            for key, _ in self._selector.select():
                if key.fileobj is self._control:
                    self._accept()
                elif key.fileobj is self._woken:
                    self._woken.recv(4096)
                    self._reap()
                elif self._lifelines.get(key.data) is key.fileobj:  # not reaped a moment ago
                    self._kill(key.data)

    def _accept(self) -> None:
        message, descriptors, _, _ = socket.recv_fds(self._control, 1, 2)
        if not message:
            self._selector.unregister(self._control)
            self._accepting = False
            return
        if len(descriptors) == 2:
            self._fork(*(socket.socket(fileno=descriptor) for descriptor in descriptors))
        else:  # too many files are open: the gateway notices that its sockets have no other end
            for descriptor in descriptors:
                os.close(descriptor)

    def _fork(self, stream: socket.socket, lifeline: socket.socket) -> None:
        with stream:
            try:
                pid = os.fork()
            except OSError as error:  # the gateway notices here too
                print(f"no decoder process could be forked: {error}", file=sys.stderr)  # noqa: T201 - the gateway's log
                lifeline.close()
                return
            if pid == 0:
                self._become_decoder(stream, lifeline)
        self._lifelines[pid] = lifeline
        self._selector.register(lifeline, selectors.EVENT_READ, pid)

    def _become_decoder(self, stream: socket.socket, lifeline: socket.socket) -> NoReturn:
        """Decode, in the child. It keeps no descriptor but those of the stream and of the standard files."""
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._selector.close()
            for sock in (self._control, self._woken, self._wake, lifeline, *self._lifelines.values()):
                sock.close()
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() == self._pid:
                restrict(self._limits.memory)
                decode(stream, self._limits.cpu)
                os._exit(0)
        finally:
            os._exit(1)

    def _kill(self, pid: int) -> None:
        """Kill a process whose stream the gateway closed. It is not reaped yet, so no other process has its number."""
        self._selector.unregister(self._lifelines[pid])
        os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        while self._lifelines:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            with self._lifelines.pop(pid) as lifeline:
                if lifeline in self._selector.get_map():
                    self._selector.unregister(lifeline)
                with contextlib.suppress(OSError):  # the gateway does not wait for it
                    lifeline.send(STATUS.pack(status))


def prctl(option: int, value: int) -> None:
    """Change an attribute of this process, on Linux, which alone has them."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def restrict(memory: int) -> None:
    """Limit this process for good: no files, no core dump, ``memory`` bytes more than now, the first to be killed."""
    if sys.platform == "linux":
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        limit(resource.RLIMIT_AS, used + memory)
        with contextlib.suppress(OSError):  # a sandbox may not have it
            Path("/proc/self/oom_score_adj").write_text("1000")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


class _Silence:
    """A WAV file of silence: decoding it loads what decoding needs."""

    def __init__(self) -> None:
        self._rest = _SILENCE

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def main() -> None:
    """Serve on the socket whose descriptor is the first argument, with the limits of the others."""
    descriptor, memory, cpu = map(int, sys.argv[1:])
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit(resource.RLIMIT_NOFILE, most)  # one for each process
    heard = [NO_AUDIO]
    ContainerStream(_Silence(), lambda pcm, _: heard.append(pcm), lambda _: None).decode()
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=descriptor) as control:
        ForkServer(control, DecoderLimits(memory=memory, cpu=cpu)).run()


if __name__ == "__main__":
    main()
