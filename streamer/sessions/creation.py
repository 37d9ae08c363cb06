"""Builds sessions: new ones, and ones that this gateway takes over from another."""

import secrets
from collections.abc import Callable
from dataclasses import replace

from captions.audio import SAMPLE_RATE
from captions.caption import CaptionId
from captions.listener import Listener
from captions.ports.clock import Clock
from captions.ports.detector import SpeechDetector
from captions.ports.log import Log
from captions.ports.probe import Probe
from captions.ports.room_directory import RoomDirectory
from captions.ports.tracer import Tracer
from captions.records import AudioSegment
from captions.room_settings import RoomSettings
from captions.segmenter import Segmenter
from captions.session import SessionSettings, fitting
from captions.stream_options import AudioFormat, Encoding, StreamOptions
from captions.terms import merged
from captions.track import TrackId
from streamer.audio.open import open_decoder
from streamer.audio.processes import DecoderProcesses
from streamer.audio.samples import BYTES
from streamer.limits import Meter
from streamer.sessions.pending_finals import PendingFinals
from streamer.sessions.recorder import Recorder
from streamer.sessions.session import Session
from streamer.sessions.session_terms import SessionTerms
from streamer.sessions.takeover import Claimed
from streamer.sessions.timeline import Timeline
from streamer.settings import GatewaySettings


class SessionMaker:
    """Builds sessions from the dependencies that all sessions of a gateway share."""

    def __init__(
        self,
        *,
        log: Log,
        clock: Clock,
        probe: Probe,
        tracer: Tracer,
        pending: PendingFinals,
        detector: Callable[[], SpeechDetector],
        processes: DecoderProcesses,
        rooms: RoomDirectory,
        settings: GatewaySettings,
    ) -> None:
        self._log = log
        self._clock = clock
        self._probe = probe
        self._tracer = tracer
        self._pending = pending
        self._detector = detector
        self._processes = processes
        self._rooms = rooms
        self._settings = settings

    def new(
        self, track: TrackId, options: StreamOptions, room: RoomSettings, timeline: Timeline, meter: Meter
    ) -> Session:
        """Build a new session that continues its track at ``timeline``."""
        spoken = room.language_of(options, self._settings.language, self._settings.languages)
        settings = SessionSettings(
            session=secrets.token_urlsafe(12),
            origin=timeline.origin,
            language=spoken.language,
            languages=spoken.languages,
            first_utterance=timeline.next_utterance,
            speaker=options.speaker,
            vocabulary=fitting(room.vocabulary_of(options)),
            model=room.model,
            audio=str(options.format),
            endpointing=options.endpointing,
            own_terms=len(merged(options.vocabulary)),
        )
        listener = self._listener(settings, timeline.next_utterance, timeline.position, grid=timeline.position)
        return self._session(track, options.format, settings, listener, meter)

    def taken_over(self, track: TrackId, claimed: Claimed, meter: Meter) -> Session:
        """Build a session that another gateway held, from its state on the log. An open utterance continues."""
        audio, progress = claimed.options.format, claimed.progress
        settings = replace(progress.settings, own_terms=len(progress.settings.asked))
        samples = progress.offset // frame_bytes(audio) * SAMPLE_RATE // audio.sample_rate
        began = progress.position - samples
        first = progress.open[0] if progress.open else None
        if first is not None:
            listener = self._listener(settings, first.utterance, first.start, grid=began)
            listener.reopen(first.utterance, len(progress.open), progress.open_audio)
        else:
            listener = self._listener(settings, progress.next_utterance, progress.position, grid=began)
        return self._session(
            track,
            audio,
            settings,
            listener,
            meter,
            begun=progress.offset,
            samples=samples,
            reopened=first,
            epoch=claimed.epoch,
        )

    def _listener(self, settings: SessionSettings, utterance: int, origin: int, *, grid: int) -> Listener:
        detector = self._detector()
        cuts = self._settings.segmenter
        if settings.endpointing is not None:
            cuts = replace(cuts, endpoint=settings.endpointing)
        segmenter = Segmenter(cuts, detector.frame_samples, first_utterance=utterance, origin=origin)
        return Listener(detector, segmenter, grid=grid)

    def _session(
        self,
        track: TrackId,
        audio: AudioFormat,
        settings: SessionSettings,
        listener: Listener,
        meter: Meter,
        *,
        begun: int = 0,
        samples: int = 0,
        reopened: AudioSegment | None = None,
        epoch: int | None = None,
    ) -> Session:
        recorder = Recorder(
            track=track,
            settings=settings,
            listener=listener,
            log=self._log,
            clock=self._clock,
            probe=self._probe,
            tracer=self._tracer,
            terms=SessionTerms(settings.asked, self._rooms, track),
            on_ended=lambda utterance, ahead: self._pending.ended(CaptionId(track, utterance), ahead),
            offset_of=offset_of(audio),
            acknowledged=begun,
            reopened=reopened,
            epoch=epoch,
        )
        return Session(
            recorder=recorder,
            decoder=open_decoder(audio, self._processes, self._probe),
            stall_timeout=self._settings.stall_timeout,
            max_unacknowledged=self._settings.max_unacknowledged,
            meter=meter,
            samples=samples,
        )


def frame_bytes(audio: AudioFormat) -> int:
    """Bytes of one sample frame: one sample of every channel."""
    return BYTES[audio.encoding] * audio.channels


def offset_of(audio: AudioFormat) -> Callable[[int], int] | None:
    """A function from a number of decoded samples to the number of bytes that they represent.

    None for a container, where the format alone does not determine it.
    """
    if audio.encoding is Encoding.CONTAINER:
        return None
    frame = frame_bytes(audio)
    return lambda samples: samples * audio.sample_rate // SAMPLE_RATE * frame
