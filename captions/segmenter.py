"""Speech probabilities in, utterances out, piece by piece while they are spoken."""

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from captions.audio import NO_AUDIO, Pcm, to_samples
from captions.errors import SetupError


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmenterSettings:
    """How a stream is cut. Durations are seconds, thresholds probabilities of speech.

    Raises ``SetupError`` where they contradict each other. docs/voice-activity.md has what the defaults come from.
    """

    onset: float = 0.4
    """Frames at least this likely to be speech open an utterance."""
    offset: float = 0.25
    """Frames less likely than this are a pause; lower than ``onset``, so that a doubtful frame changes nothing."""
    min_speech: float = 0.09
    """Speech in a row that opens an utterance: a click or a cough is shorter."""
    pre_roll: float = 0.25
    """Sent from before the onset: detectors miss soft consonants."""
    post_roll: float = 0.2
    """Sent of the pause after speech; the rest is held back and only sent if speech goes on."""
    flush_after: float = 0.09
    """A pause this long sends what is there: the word before it is complete."""
    endpoint: float = 0.5
    """A pause this long ends the utterance."""
    long: float = 10.0
    """From this length on an utterance may end at a shorter pause, so that few have to be cut."""
    long_endpoint: float = 0.2
    """That shorter pause."""
    longest: float = 20.0
    """An utterance this long is cut at its quietest point; Whisper hears 30 s at most."""
    cut_within: float = 5.0
    """The quietest point is looked for in the last so many seconds, but in half of ``longest`` at most: what is cut off
    is shown anew."""
    segment: float = 0.2
    """Length of a piece while speech goes on."""

    def __post_init__(self) -> None:
        if not 0.0 < self.offset <= self.onset <= 1.0:
            raise SetupError(f"speech thresholds have to be 0 < offset <= onset <= 1: {self.offset:g}, {self.onset:g}")
        for name in ("endpoint", "long_endpoint", "longest", "cut_within", "segment"):
            if getattr(self, name) <= 0.0:
                raise SetupError(f"{name} is a length of time: more than 0 seconds")
        for name in ("min_speech", "pre_roll", "post_roll", "flush_after", "long"):
            if getattr(self, name) < 0.0:
                raise SetupError(f"{name} is a length of time: 0 seconds or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of an utterance's audio, contiguous with the one before.

    ``start`` is the position of its first sample, counted from the track's first. ``last`` ends the utterance, for
    ``reason``: endpoint, longest, finalize, stall or end. ``end`` then says where its audio ends if that is before
    the end of what was sent; audio from there on is sent again in the next utterance. ``paused``: the speaker paused at
    its end, so its last word is complete.
    """

    utterance: int
    number: int
    start: int
    pcm: Pcm
    last: bool = False
    end: int | None = None
    reason: str | None = None
    paused: bool = False


class Segmenter:
    """Cuts one session's stream of frames into utterances.

    ``origin`` is the position of the session's first sample on its track. The same frames and probabilities give
    the same pieces. Hysteresis with pre-roll and hangover as in the ETSI detectors; the cut is our own.
    """

    def __init__(
        self, settings: SegmenterSettings, frame_samples: int, *, first_utterance: int = 0, origin: int = 0
    ) -> None:
        self._onset = settings.onset
        self._offset = settings.offset
        self._min_speech = to_samples(settings.min_speech)
        self._pre_roll = to_samples(settings.pre_roll)
        self._post_roll = to_samples(settings.post_roll)
        self._flush_after = to_samples(settings.flush_after)
        self._endpoint = to_samples(settings.endpoint)
        self._long = to_samples(settings.long)
        self._long_endpoint = to_samples(min(settings.long_endpoint, settings.endpoint))
        self._longest = to_samples(settings.longest)
        self._cut_within = min(to_samples(settings.cut_within), self._longest // 2)
        self._segment = to_samples(settings.segment)
        self._frame = frame_samples
        self._position = origin
        self._audio = _Window(origin)
        self._run = 0
        self._open = False
        self._start = origin
        self._sent = origin
        self._speech_end = origin
        self._number = 0
        self._utterance = first_utterance

    @property
    def position(self) -> int:
        """Position after the last frame."""
        return self._position

    @property
    def open(self) -> bool:
        """Whether an utterance is in progress."""
        return self._open

    @property
    def next_utterance(self) -> int:
        """The number that the next utterance to be opened gets."""
        return self._utterance + 1 if self._open else self._utterance

    @property
    def settled(self) -> int:
        """Everything before this position was sent, or never will be."""
        return self._sent if self._open else self._audio.start

    @property
    def samples_until_next_piece(self) -> int:
        """Samples that have to come, at least, before there is another piece: whatever is said in them."""
        if not self._open:
            return max(1, self._min_speech - self._run)
        length, pause = self._position - self._start, self._position - self._speech_end
        return max(
            1,
            min(
                self._segment - (self._position - self._sent),
                *(  # where the limit is past, a frame of speech may begin another pause
                    limit - pause if limit > pause else self._frame + limit
                    for limit in (self._flush_after, self._post_roll)
                ),
                self._endpoint - pause,
                max(self._long - length, self._long_endpoint - pause),
                self._longest - length,
            ),
        )

    def reopen(self, utterance: int, number: int) -> None:
        """Go on with an utterance that another segmenter began at this one's origin.

        What that one sent, in ``number`` pieces, is given to ``restore`` next.
        """
        self._begin(self._position)
        self._utterance, self._number = utterance, number

    def restore(self, frame: Pcm, probability: float) -> None:
        """Hear a frame that the other segmenter sent already."""
        self._audio.append(frame)
        self._position += len(frame)
        self._sent = self._position
        if probability >= self._offset:
            self._speech_end = self._position
        self._audio.drop_before(self._position - self._cut_within)

    def push(self, frame: Pcm, probability: float) -> list[Piece]:
        """Hear one frame, shape (frame_samples,), or fewer samples at the stream's end."""
        self._audio.append(frame)
        self._position += len(frame)
        if not self._open:
            return self._wait(len(frame), probability)
        if probability >= self._offset:
            self._speech_end = self._position
        pieces = self._ready()
        enough = self._endpoint if self._position - self._start < self._long else self._long_endpoint
        if self._position - self._speech_end >= enough:
            pieces += self._close("endpoint")
        elif self._position - self._start >= self._longest:
            pieces += self._cut()
        return pieces

    def finalize(self, reason: str) -> list[Piece]:
        """End the utterance in progress now, if there is one."""
        return self._close(reason) if self._open else []

    def flush(self) -> list[Piece]:
        """Send what is there of the utterance in progress, which goes on."""
        return self._up_to(self._sendable()) if self._open else []

    def _wait(self, samples: int, probability: float) -> list[Piece]:
        self._run = self._run + samples if probability >= self._onset else 0
        self._audio.drop_before(self._position - self._run - self._pre_roll)
        if self._run == 0 or self._run < self._min_speech:
            return []
        self._begin(self._audio.start)
        self._speech_end = self._position
        return self._ready()

    def _begin(self, start: int) -> None:
        self._open = True
        self._run = 0
        self._number = 0
        self._start = self._sent = start

    def _sendable(self) -> int:
        """Position up to which audio may be sent: a pause is held back after its post-roll."""
        return min(self._position, self._speech_end + self._post_roll)

    def _ready(self) -> list[Piece]:
        """Whole segments, and at a pause the rest."""
        pause, frame = self._position - self._speech_end, self._frame
        paused = any(limit <= pause < limit + frame for limit in (self._flush_after, self._post_roll))
        upto = self._sendable()
        if not paused:
            upto = self._sent + (upto - self._sent) // self._segment * self._segment
        return self._up_to(upto)

    def _up_to(self, position: int) -> list[Piece]:
        """The audio from what was sent to ``position``, in pieces of at most a segment."""
        if position <= self._sent:
            return []
        edges = [*range(self._sent, position, self._segment), position]
        pieces = []
        for start, end in pairwise(edges):
            paused = self._pausing and end == position
            pieces.append(self._piece(start, self._audio.between(start, end), paused=paused))
        self._sent = position
        self._audio.drop_before(min(self._sent, self._position - self._cut_within))
        return pieces

    @property
    def _pausing(self) -> bool:
        """Whether the speaker pauses now, for long enough to send what is there."""
        return self._position - self._speech_end >= min(self._flush_after, self._post_roll)

    def _piece(
        self, start: int, pcm: Pcm, *, end: int | None = None, reason: str | None = None, paused: bool = False
    ) -> Piece:
        piece = Piece(
            utterance=self._utterance,
            number=self._number,
            start=start,
            pcm=pcm,
            last=reason is not None,
            end=end,
            reason=reason,
            paused=paused,
        )
        self._number += 1
        return piece

    def _close(self, reason: str) -> list[Piece]:
        upto = max(self._sendable(), self._sent)
        last = self._piece(self._sent, self._audio.between(self._sent, upto), reason=reason, paused=self._pausing)
        self._audio.drop_before(max(upto, self._position - self._pre_roll))
        self._open = False
        self._run = 0
        self._utterance += 1
        return [last]

    def _cut(self) -> list[Piece]:
        """End the utterance at its quietest point and open the next one there, sending again what came after."""
        since = max(self._audio.start, self._position - self._cut_within)
        at = since + quietest(self._audio.between(since, self._position))
        if at >= self._speech_end:
            return self._close("longest")  # a pause: nothing of what was said comes after it
        unsent = self._audio.between(self._sent, at) if at > self._sent else NO_AUDIO
        last = self._piece(self._sent, unsent, end=at, reason="longest")
        self._utterance += 1
        self._begin(at)
        return [last, *self._up_to(max(self._sendable(), at))]


class _Window:
    """The audio that may still be needed: frames from position ``start`` on."""

    def __init__(self, start: int) -> None:
        self.start = self._end = start
        self._frames: deque[Pcm] = deque()

    def append(self, frame: Pcm) -> None:
        self._frames.append(frame)
        self._end += len(frame)

    def drop_before(self, position: int) -> None:
        while self._frames and self.start + len(self._frames[0]) <= position:
            self.start += len(self._frames.popleft())
        if self._frames and self.start < position:
            self._frames[0] = self._frames[0][position - self.start :]
            self.start = position

    def between(self, start: int, end: int) -> Pcm:
        parts, at = [], self._end
        for frame in reversed(self._frames):  # what is asked for is mostly the latest
            if at <= start:
                break
            at -= len(frame)
            if at < end:
                parts.append(frame[max(0, start - at) : end - at])
        return np.concatenate(parts[::-1]) if parts else NO_AUDIO


def quietest(pcm: Pcm, *, window: int = 1600, hop: int = 160) -> int:
    """The middle of the ``window`` samples with the least energy, looked for every ``hop``; the earliest of equals.

    Exact in integers, so that every machine cuts at the same sample.
    """
    if len(pcm) <= window:
        return len(pcm) // 2
    energy = np.concatenate(([0], np.cumsum(pcm.astype(np.int64) ** 2)))
    starts = np.arange(0, len(pcm) - window + 1, hop)
    return int(starts[np.argmin(energy[starts + window] - energy[starts])]) + window // 2
