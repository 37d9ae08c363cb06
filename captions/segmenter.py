"""Turns speech probabilities of frames into utterances, piece by piece while they are spoken."""

from dataclasses import dataclass
from itertools import pairwise

from captions.audio import NO_AUDIO, Pcm, to_samples
from captions.audio_window import AudioWindow, quietest
from captions.errors import SetupError


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmenterSettings:
    """How to cut a stream into utterances. Durations are in seconds, thresholds are probabilities of speech.

    Raises ``SetupError`` if values contradict each other. docs/voice-activity.md has the reasons for the defaults.
    """

    onset: float = 0.4
    """Frames with at least this probability open an utterance."""
    offset: float = 0.25
    """Frames below this probability are a pause. Lower than ``onset``, so that uncertain frames change nothing."""
    min_speech: float = 0.09
    """Speech without interruption that opens an utterance. A click or a cough is shorter."""
    pre_roll: float = 0.25
    """Audio before the onset that belongs to the utterance, because detectors miss soft consonants."""
    post_roll: float = 0.2
    """Audio after speech that belongs to the utterance. The rest of a pause is sent only if speech continues."""
    flush_after: float = 0.09
    """A pause this long sends the audio so far, because the word before it is complete."""
    endpoint: float = 0.5
    """A pause this long ends the utterance."""
    long: float = 10.0
    """From this duration on a shorter pause ends the utterance, so that few utterances have to be cut."""
    long_endpoint: float = 0.2
    """The pause that ends such a long utterance."""
    longest: float = 20.0
    """An utterance this long is cut at its quietest point. Whisper takes at most 30 s."""
    cut_within: float = 5.0
    """The cut is made in the last so many seconds, at most half of ``longest``. Audio after it is captioned again."""
    segment: float = 0.2
    """Duration of a piece during speech."""

    def __post_init__(self) -> None:
        if not 0.0 < self.offset <= self.onset <= 1.0:
            raise SetupError(
                f"speech thresholds have to be 0 < offset <= onset <= 1, not {self.offset:g} and {self.onset:g}"
            )
        for name in ("endpoint", "long_endpoint", "longest", "cut_within", "segment"):
            if getattr(self, name) <= 0.0:
                raise SetupError(f"{name} is a duration in seconds and has to be more than 0")
        for name in ("min_speech", "pre_roll", "post_roll", "flush_after", "long"):
            if getattr(self, name) < 0.0:
                raise SetupError(f"{name} is a duration in seconds and has to be 0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of an utterance's audio, contiguous with the piece before.

    ``pcm`` has shape (samples,). ``start`` is the position of its first sample, in samples from the track's first.
    ``last`` ends the utterance for ``reason``: endpoint, longest, finalize, stall or end. If the utterance's audio ends
    before the audio that was sent, ``end`` is that position. The audio after it is sent again in the next utterance.
    ``paused`` says that the speaker paused at its end, so its last word is complete.
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
    the same pieces. It uses hysteresis with pre-roll and hangover, as ETSI's detectors do. Cutting long utterances is
    specific to this project.
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
        self._audio = AudioWindow(origin)
        self._speech_run = 0
        self._open = False
        self._start = origin
        self._sent = origin
        self._speech_end = origin
        self._number = 0
        self._utterance = first_utterance

    @property
    def position(self) -> int:
        """The position after the last frame, in samples on the track."""
        return self._position

    @property
    def open(self) -> bool:
        """Whether an utterance is open."""
        return self._open

    @property
    def next_utterance(self) -> int:
        """The number of the next utterance that opens."""
        return self._utterance + 1 if self._open else self._utterance

    @property
    def settled(self) -> int:
        """The position before which all audio was sent in pieces or will never be sent."""
        return self._sent if self._open else self._audio.start

    @property
    def samples_until_next_piece(self) -> int:
        """The least number of samples that have to be pushed before there can be another piece, whatever they hold."""
        if not self._open:
            return max(1, self._min_speech - self._speech_run)
        length, pause = self._position - self._start, self._position - self._speech_end
        return max(
            1,
            min(
                self._segment - (self._position - self._sent),
                *(  # if the pause has passed the limit, a frame of speech may begin another pause
                    limit - pause if limit > pause else self._frame + limit
                    for limit in (self._flush_after, self._post_roll)
                ),
                self._endpoint - pause,
                max(self._long - length, self._long_endpoint - pause),
                self._longest - length,
            ),
        )

    def reopen(self, utterance: int, number: int) -> None:
        """Continue an utterance of which another segmenter sent ``number`` pieces. It begins at this one's origin.

        Pass the audio of those pieces to ``restore`` next.
        """
        self._begin(self._position)
        self._utterance, self._number = utterance, number

    def restore(self, frame: Pcm, probability: float) -> None:
        """Process a frame that the other segmenter sent already. It is not sent again."""
        self._audio.append(frame)
        self._position += len(frame)
        self._sent = self._position
        if probability >= self._offset:
            self._speech_end = self._position
        self._audio.drop_before(self._position - self._cut_within)

    def push(self, frame: Pcm, probability: float) -> list[Piece]:
        """Process one frame, shape (frame_samples,), or fewer samples at the stream's end. Returns new pieces."""
        self._audio.append(frame)
        self._position += len(frame)
        if not self._open:
            return self._push_closed(len(frame), probability)
        if probability >= self._offset:
            self._speech_end = self._position
        pieces = self._due()
        endpoint = self._endpoint if self._position - self._start < self._long else self._long_endpoint
        if self._position - self._speech_end >= endpoint:
            pieces += self._close("endpoint")
        elif self._position - self._start >= self._longest:
            pieces += self._cut()
        return pieces

    def finalize(self, reason: str) -> list[Piece]:
        """End the open utterance, if there is one, for ``reason``. Returns its last piece."""
        return self._close(reason) if self._open else []

    def flush(self) -> list[Piece]:
        """Return the rest of the open utterance's audio so far. The utterance stays open."""
        return self._up_to(self._sendable()) if self._open else []

    def _push_closed(self, samples: int, probability: float) -> list[Piece]:
        """Process a frame while no utterance is open: open one after enough speech."""
        self._speech_run = self._speech_run + samples if probability >= self._onset else 0
        self._audio.drop_before(self._position - self._speech_run - self._pre_roll)
        if self._speech_run == 0 or self._speech_run < self._min_speech:
            return []
        self._begin(self._audio.start)
        self._speech_end = self._position
        return self._due()

    def _begin(self, start: int) -> None:
        self._open = True
        self._speech_run = 0
        self._number = 0
        self._start = self._sent = start

    def _sendable(self) -> int:
        """The position up to which audio may be sent. A pause is held back after its post-roll."""
        return min(self._position, self._speech_end + self._post_roll)

    def _due(self) -> list[Piece]:
        """The pieces that are due: full segments during speech, and at a pause the rest."""
        pause, frame = self._position - self._speech_end, self._frame
        paused = any(limit <= pause < limit + frame for limit in (self._flush_after, self._post_roll))
        upto = self._sendable()
        if not paused:
            upto = self._sent + (upto - self._sent) // self._segment * self._segment
        return self._up_to(upto)

    def _up_to(self, position: int) -> list[Piece]:
        """The audio up to ``position`` that was not sent yet, in pieces of at most a segment."""
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
        """Whether the speaker pauses now, for long enough that the audio so far is sent."""
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
        self._speech_run = 0
        self._utterance += 1
        return [last]

    def _cut(self) -> list[Piece]:
        """End the utterance at its quietest point, and open the next one there. Audio after it is sent again."""
        since = max(self._audio.start, self._position - self._cut_within)
        at = since + quietest(self._audio.between(since, self._position))
        if at >= self._speech_end:
            return self._close("longest")  # the quietest point is a pause, and no speech follows it
        unsent = self._audio.between(self._sent, at) if at > self._sent else NO_AUDIO
        last = self._piece(self._sent, unsent, end=at, reason="longest")
        self._utterance += 1
        self._begin(at)
        return [last, *self._up_to(max(self._sendable(), at))]
