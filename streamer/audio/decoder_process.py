"""Decodes one container stream between two sockets. It runs in a process of its own, forked by ``fork_server``."""

import math
import os
import resource
import socket
import traceback

from captions.audio import SAMPLE_RATE, Pcm, to_bytes
from captions.audio_warnings import AudioWarning
from captions.errors import UnsupportedAudio
from streamer.audio.container_stream import ContainerStream
from streamer.audio.decoder_messages import MOST_BYTES, Report, pack, pack_text

_MOST_HELD = 64 * 1024


def decode(sock: socket.socket, cpu: int) -> None:
    """Decode the bytes that arrive on ``sock`` to their end, and report the result on it.

    The process may use ``cpu`` seconds beyond the duration of the sound.
    """
    reports = Reports(sock, cpu)
    try:
        ContainerStream(reports, reports.samples, reports.warning).decode()
    except UnsupportedAudio as refusal:
        reports.end(pack_text(Report.REFUSED, refusal.message))
    except MemoryError:
        reports.end(pack(Report.OUT_OF_MEMORY))
    except Exception:  # noqa: BLE001 - the gateway logs it
        reports.end(pack_text(Report.FAILED, traceback.format_exc()))
    else:
        reports.end(pack(Report.ENDED))


class Reports:
    """Reads the stream's bytes, and sends all reports since the last read before it waits for more."""

    def __init__(self, sock: socket.socket, cpu: int) -> None:
        self._sock = sock
        self._held = bytearray()
        self._consumed = 0
        self._decoded = 0
        self._samples = 0
        self._cpu = cpu
        self._allowed = 0
        self._allow()

    def read(self, size: int) -> bytes:
        """Return at most ``size`` bytes as soon as there are any; none at the end."""
        self._held += pack(Report.WANTS, self._consumed)
        self._flush()
        try:
            data = self._sock.recv(size)
        except OSError:
            os._exit(0)  # the gateway closed the stream; an exception would have to pass through FFmpeg's C code
        self._consumed += len(data)
        return data

    def samples(self, pcm: Pcm, offset: int) -> None:
        """Report samples, shape (samples,), and the offset before which all bytes are decoded."""
        self._samples += len(pcm)
        self._allow()
        data = to_bytes(pcm)
        for begin in range(0, len(data), MOST_BYTES):
            piece = data[begin : begin + MOST_BYTES]
            if begin + len(piece) == len(data):
                self._decoded = offset
            self._held += pack(Report.SAMPLES, self._decoded, piece)
            if len(self._held) > _MOST_HELD:
                self._flush()

    def warning(self, warning: AudioWarning) -> None:
        """Report a warning."""
        self._held += pack_text(Report.WARNING, f"{warning.code}\n{warning.message}")

    def end(self, last: bytes) -> None:
        """Report the last message."""
        self._held += last
        self._flush()

    def _flush(self) -> None:
        try:
            self._sock.sendall(self._held)
        except OSError:
            os._exit(0)
        self._held.clear()

    def _allow(self) -> None:
        """Raise the limit of CPU with the sound."""
        allowed = self._cpu + math.ceil(self._samples / SAMPLE_RATE)
        if allowed > self._allowed:
            self._allowed = allowed
            limit(resource.RLIMIT_CPU, allowed)


def limit(what: int, most: int) -> None:
    """Set a soft limit, at most the hard limit."""
    _, hard = resource.getrlimit(what)
    resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
