"""WhisperLiveKit (https://github.com/QuentinFuxa/WhisperLiveKit) with faster-whisper and LocalAgreement."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from bench.capacity.pacing import Pace
from bench.capacity.peers.environment import interpreter, peer_server
from bench.capacity.peers.transcript import Transcript
from bench.capacity.systems import Received, Running
from captions.errors import LivecaptionsError, SetupError
from livecaptions.processes import free_port, ready

REQUIREMENT = "whisperlivekit==0.2.26"


class WhisperLiveKit:
    """Uses the defaults, except for the policy, the backend and the input."""

    name = "whisperlivekit"
    frame = 0.1

    def __init__(self, model: Path, language: str, cores: int | None) -> None:
        self._model = model
        self._language = language
        self._cores = cores

    @contextlib.contextmanager
    def running(self) -> Iterator[Running]:
        """Start a server. Raises ``SetupError``."""
        python = interpreter(REQUIREMENT, "a C compiler: apt-get install gcc")
        port = free_port()
        command = [
            str(python.with_name("whisperlivekit-server")), "--host", "127.0.0.1", "--port", str(port),
            "--backend", "faster-whisper", "--backend-policy", "localagreement", "--pcm-input",
            "--model_dir", str(self._model), "--language", self._language, "--warmup-file", "",
        ]  # fmt: skip
        with peer_server(self.name, command, self._cores) as (process, log):
            try:
                asyncio.run(ready(f"http://127.0.0.1:{port}", [process], path="/health"))
            except SetupError as error:
                raise SetupError(f"WhisperLiveKit is not ready ({error}); see {log}") from error
            yield Running(f"ws://127.0.0.1:{port}/asr", [process.pid])

    async def speak(self, server: Running, name: str, pace: Pace, received: Received) -> None:  # noqa: ARG002 - it has no rooms
        """Send the audio and an empty message. The server sends a message when it is done."""
        transcript = Transcript(received)
        try:
            async with (
                connect(server.url, compression=None, max_size=None, proxy=None, open_timeout=60) as ws,
                asyncio.TaskGroup() as group,
            ):
                sending = group.create_task(_send(ws, pace))
                while (message := json.loads(await ws.recv())).get("type") != "ready_to_stop":
                    if message.get("error"):
                        raise LivecaptionsError(f"WhisperLiveKit failed: {message['error']}")
                    if "lines" in message:
                        transcript.take(pace.elapsed, *texts_of(message))
                await sending
        finally:
            transcript.finish()


def texts_of(message: dict[str, Any]) -> tuple[str, str]:
    """The stable text, which is in the lines, and the volatile text, which is in the buffer."""
    standing = " ".join(line["text"].strip() for line in message["lines"] if line.get("text"))
    return standing, message.get("buffer_transcription") or ""


async def _send(ws: ClientConnection, pace: Pace) -> None:
    async for frame in pace.frames():
        await ws.send(frame)
    await ws.send(b"")
