"""The worker: audio from the log, captions to the log."""

import asyncio

from captions.caption import Pass
from captions.ports.clock import Clock
from captions.ports.log import HOLDING_GROUP, Log
from captions.ports.probe import Probe
from captions.ports.tracer import NO_TRACES, Tracer
from captions.records import AUDIO
from inference.decoders import Decoders
from inference.intake import Intake
from inference.live import Live
from inference.publishing import LIVE_TOPICS, Publisher
from inference.session_language import SessionLanguages
from inference.settings import WorkerSettings
from inference.spare_time import SpareTime


class Worker:
    """A member of consumer group ``live`` on topic ``audio`` that publishes live captions.

    ``run`` goes on until it is cancelled; what was not final then is replayed by the next owner of its partition.
    """

    def __init__(
        self,
        log: Log,
        decoders: Decoders,
        clock: Clock,
        probe: Probe,
        settings: WorkerSettings,
        *,
        tracer: Tracer = NO_TRACES,
        spare_time: SpareTime | None = None,
    ) -> None:
        self._log = log
        self._decoders = decoders
        self._clock = clock
        self._probe = probe
        self._settings = settings
        self._tracer = tracer
        self._spare_time = spare_time
        self._intake: Intake | None = None

    @property
    def joined(self) -> bool:
        """Whether it is a member of its group now, and the group has answered."""
        return self._intake is not None and self._intake.joined

    async def run(self) -> None:
        """Work until cancelled. Raises ``LogError`` and ``SetupError``, also in groups, where the log fails."""
        async with self._log.join(AUDIO, HOLDING_GROUP) as member:
            self._intake = intake = Intake(self._log, member, self._clock, self._probe, self._settings)
            live = Live(
                intake,
                self._decoders,
                self._publisher(),
                SessionLanguages(self._log, self._clock),
                clock=self._clock,
                probe=self._probe,
                tracer=self._tracer,
                settings=self._settings,
                spare_time=self._spare_time,
            )
            try:
                async with asyncio.TaskGroup() as tasks:
                    intake.start(tasks)
                    live.start(tasks)
            finally:
                intake.close()
                live.report()

    def _publisher(self) -> Publisher:
        return Publisher(
            self._log, self._clock, self._probe, self._settings, self._tracer, pass_=Pass.LIVE, topics=LIVE_TOPICS
        )
