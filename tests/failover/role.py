"""A gateway or a worker in a process of its own, over Kafka, hearing scripted speech.

``python -m tests.failover.role JSON`` with a ``Role``; it prints a line when it is ready.
"""

import asyncio
import json
import os
import signal
import sys
from dataclasses import asdict, dataclass

from captions.ports.engine import DecodeRequest
from captions.ports.probe import Probe
from inference.engine.scripted import ScriptedEngine
from livecaptions.clock import SystemClock
from livecaptions.logs import open_log
from livecaptions.server import listen, serving
from livecaptions.settings.fields import Settings
from livecaptions.traces import tracing
from livecaptions.wiring import working
from monitoring.logs import configure_logs
from streamer.gateway import Gateway
from streamer.settings import GatewaySettings
from streamer.web.app import create_app
from tests.support import EnergyDetector, script_of

PARTITIONS = 8


@dataclass(frozen=True, kw_only=True)
class Role:
    """What one process is. ``decoding`` is seconds for each of audio; ``poison`` a word that cannot be decoded."""

    kind: str
    bootstrap: str
    prefix: str
    port: int = 0
    utterances: int = 3
    words: int = 8
    seed: int = 0
    decoding: float = 0.02
    poison: str | None = None
    overload_after: float = 8.0
    traces: str | None = None

    def encode(self) -> str:
        return json.dumps(asdict(self))

    @property
    def settings(self) -> Settings:
        return Settings.model_validate(
            {
                "transport": f"kafka://{self.bootstrap}",
                "kafka_prefix": self.prefix,
                "partitions": PARTITIONS,
                "log_level": "warning",
                "traces_endpoint": self.traces,
            }
        )


async def run(role: Role) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    clock, probe = SystemClock(), Probe()
    async with tracing(role.settings, clock, role.kind) as tracer, open_log(role.settings, clock) as log:
        if role.kind == "worker":
            script, _ = script_of(role.utterances, words=role.words, seed=role.seed)
            engine = ScriptedEngine(script, delay=role.decoding, failures=lambda request: poisoned(role, request))
            async with working(role.settings, log, [engine], clock, probe, tracer=tracer):
                sys.stdout.write("ready\n")
                sys.stdout.flush()
                await stop.wait()
        else:
            settings = GatewaySettings(overload_after=role.overload_after, language="en")
            gateway = Gateway(log, clock, probe, EnergyDetector, settings, tracer=tracer)
            app = create_app(gateway)
            async with serving(app, listen("127.0.0.1", role.port)):
                sys.stdout.write("ready\n")
                sys.stdout.flush()
                await stop.wait()
                await gateway.drain(10, elsewhere=log.shared)
            await gateway.close()


def poisoned(role: Role, request: DecodeRequest) -> bool:
    if role.poison is None:
        return False
    script, _ = script_of(role.utterances, words=role.words, seed=role.seed)
    (hypothesis,) = ScriptedEngine(script).decode([request])
    return role.poison in {word.text for word in hypothesis.words}


if __name__ == "__main__":
    configure_logs("console", os.environ.get("ROLE_LOG", "warning"))
    asyncio.run(run(Role(**json.loads(sys.argv[1]))))
