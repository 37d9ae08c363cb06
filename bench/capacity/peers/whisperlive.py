"""WhisperLive (https://github.com/collabora/WhisperLive) with its faster-whisper backend."""

import asyncio
import contextlib
import json
import socket
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from bench.capacity.pacing import Pace
from bench.capacity.peers.environment import interpreter, peer_server
from bench.capacity.peers.transcript import Transcript
from bench.capacity.systems import Received, Running
from captions.errors import LivecaptionsError, SetupError
from livecaptions.processes import START_TIMEOUT, Process, free_port

REQUIREMENT = "whisper-live==0.10.0"

# the package has no command; this does what run_server.py in its repository does, with limits that no level reaches
_SERVE = """
import sys
from whisper_live.server import TranscriptionServer
TranscriptionServer().run(
    "127.0.0.1", port=int(sys.argv[1]), backend="faster_whisper", faster_whisper_custom_model_path=sys.argv[2],
    single_model=True, max_clients=1000, max_connection_time=24 * 3600,
)
"""

REPEATED = 3.0
"""Seconds after the end of the audio. If the same segments are repeated for this long, they are the last ones."""

SILENT = 15.0
"""Seconds without a message, after the end of the audio, that its client waits; a third if all is complete."""


class WhisperLive:
    """Uses one model for all clients. The options are those of its own client class."""

    name = "whisperlive"
    frame = 4096 / 16_000

    def __init__(self, model: Path, language: str, cores: int | None) -> None:
        self._model = model
        self._language = language
        self._cores = cores

    @contextlib.contextmanager
    def running(self) -> Iterator[Running]:
        """Start a server. Raises ``SetupError``."""
        python = interpreter(REQUIREMENT, "a C compiler and PortAudio: apt-get install gcc portaudio19-dev")
        port = free_port()
        command = [str(python), "-c", _SERVE, str(port), str(self._model)]
        with peer_server(self.name, command, self._cores) as (process, log):
            asyncio.run(_listening(port, process, log))
            yield Running(f"ws://127.0.0.1:{port}", [process.pid])

    async def speak(self, server: Running, name: str, pace: Pace, received: Received) -> None:
        """Send the audio, wait until no new word arrives, and then end the stream: the end drops pending audio."""
        transcript = Transcript(received)
        try:
            async with connect(server.url, compression=None, max_size=None, proxy=None, open_timeout=60) as ws:
                await ws.send(json.dumps(self._options(name)))
                await _server_ready(ws)
                async with asyncio.TaskGroup() as group:
                    sending = group.create_task(_send(ws, pace))
                    segments = Segments()
                    async for at, message in _messages(ws, pace, sending):
                        if "segments" in message:
                            transcript.take(at, *segments.take(message["segments"]))
                    await sending
                await ws.send(b"END_OF_AUDIO")
        finally:
            transcript.finish()

    def _options(self, name: str) -> dict[str, Any]:
        return {
            "uid": f"{name}-{uuid.uuid4()}",
            "language": self._language,
            "task": "transcribe",
            "model": str(self._model),
            "use_vad": True,
            "send_last_n_segments": 10,
            "no_speech_thresh": 0.45,
            "clip_audio": False,
            "same_output_threshold": 10,
            "audio_format": "int16",
        }


class Segments:
    """Joins the segments of messages. A message has the last ten complete segments and one incomplete one."""

    def __init__(self) -> None:
        self._completed: list[str] = []
        self._until = float("-inf")

    def take(self, segments: Sequence[dict[str, Any]]) -> tuple[str, str]:
        """Return the stable and the volatile text. A segment is new if it begins after the end of all others."""
        volatile = ""
        for segment in segments:
            if not segment.get("completed", False):
                volatile = segment["text"]
            elif float(segment["start"]) >= self._until:
                self._completed.append(segment["text"].strip())
                self._until = float(segment["end"])
        return " ".join(self._completed), volatile


async def _messages(
    ws: ClientConnection, pace: Pace, sending: "asyncio.Task[None]"
) -> AsyncIterator[tuple[float, dict[str, Any]]]:
    """Yield new messages with their arrival, until the audio is sent and the last message is probably complete."""
    loop = asyncio.get_running_loop()
    came = changed = loop.time()
    last, timeout = "", SILENT
    while not (sending.done() and (came - changed > REPEATED or loop.time() - came > timeout)):
        try:
            async with asyncio.timeout(0.5):
                frame = str(await ws.recv())
        except TimeoutError:
            frame = ""
        if not sending.done():
            changed = loop.time()
        came = loop.time() if frame or not sending.done() else came
        if frame and frame != last:
            changed, last = came, frame
            message = json.loads(frame)
            segments = message.get("segments")
            timeout = SILENT / 3 if segments and segments[-1].get("completed") else SILENT
            yield pace.elapsed, message


async def _send(ws: ClientConnection, pace: Pace) -> None:
    async for frame in pace.frames():
        await ws.send(frame)


async def _server_ready(ws: ClientConnection) -> None:
    async with asyncio.timeout(START_TIMEOUT):
        while (message := json.loads(await ws.recv())).get("message") != "SERVER_READY":
            if "status" in message:
                raise LivecaptionsError(f"WhisperLive rejected the stream: {message}")


async def _listening(port: int, process: Process, log: Path) -> None:
    """Wait until the port is open."""
    deadline = asyncio.get_running_loop().time() + START_TIMEOUT
    while True:
        if process.poll() is not None:
            raise SetupError(f"WhisperLive exited with code {process.returncode}; see {log}")
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        if asyncio.get_running_loop().time() > deadline:
            raise SetupError(f"WhisperLive did not listen within {START_TIMEOUT:.0f} s; see {log}")
        await asyncio.sleep(0.2)
