"""``livecaptions serve`` with the scripted engine instead of Whisper: ``python -m bench.scripted PORT``.

Everything else is real: sockets, segmenter, the log in memory, worker, scheduler, rooms and metrics. The speech
detector uses loudness, because the scripted audio is not speech.
"""

import asyncio
import signal
import sys

from bench.capacity.recordings import Recording
from captions.audio import to_bytes
from inference.engine.scripted import ScriptedEngine
from livecaptions.clock import SystemClock
from livecaptions.garbage import tune_garbage_collection
from livecaptions.logs import open_log
from livecaptions.server import listen, serving
from livecaptions.settings.fields import Settings
from livecaptions.talk import ReferenceWord
from livecaptions.wiring import working
from monitoring.endpoints import health, metrics_endpoint
from monitoring.families import Families
from monitoring.http import MeasuredRequests
from monitoring.logs import configure_logs
from monitoring.metrics import ServeProbe
from streamer.gateway import Gateway
from streamer.settings import GatewaySettings
from streamer.web.app import create_app
from tests.support import EnergyDetector, script_of

DECODING = 0.002
"""Seconds of decoding per second of audio. 60 streams fit into one decode thread."""

RETENTION = 120.0
"""Retention of captions and audio in seconds, far below the defaults, so that memory is constant early in a soak."""

SCRIPT, PCM = script_of(12)


def recording() -> Recording:
    """The audio of a stream, about a minute long."""
    return Recording("scripted", to_bytes(PCM), [ReferenceWord(word.text, word.start, word.end) for word in SCRIPT])


async def serve(port: int) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = Settings(
        captions_retention=RETENTION, audio_retention=RETENTION, log_bytes=64 * 2**20, resume_window=10.0
    )
    clock, probe = SystemClock(), ServeProbe(Families(), "bench")
    engine = ScriptedEngine(SCRIPT, delay=DECODING)
    async with open_log(settings, clock) as log, working(settings, log, [engine], clock, probe):
        gateway = Gateway(
            log, clock, probe, EnergyDetector, GatewaySettings(language="en", resume_window=settings.resume_window)
        )
        app = create_app(gateway)
        app.include_router(health(gateway.not_ready))
        app.include_router(metrics_endpoint(probe.render))
        async with serving(MeasuredRequests(app, clock, probe), listen("127.0.0.1", port), probe=probe):
            tune_garbage_collection()
            await stop.wait()
            await gateway.drain(10, elsewhere=log.shared)
        await gateway.close()


if __name__ == "__main__":
    configure_logs("console", "warning")
    asyncio.run(serve(int(sys.argv[1])))
