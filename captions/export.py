"""Transcripts as plain text, SubRip, WebVTT and JSON. Callers pass the captions in the order they were spoken.

Subtitles read them twice: no iterators.
"""

from collections.abc import Iterable
from dataclasses import replace

from captions.lines import Cue, cues
from captions.messages import CaptionMessage
from captions.one_line import one_line


def as_text(captions: Iterable[CaptionMessage]) -> str:
    """One line per utterance. A line starts with the speaker's name where the speaker changes."""
    lines: list[str] = []
    before: str | None = None
    for caption in captions:
        text = one_line(caption.text)
        named = caption.speaker is not None and caption.speaker != before
        lines.append(f"{one_line(caption.speaker or '')}: {text}" if named else text)
        before = caption.speaker
    return "".join(f"{line}\n" for line in lines)


def as_srt(captions: Iterable[CaptionMessage]) -> str:
    """SubRip: numbered cues, with a comma before the milliseconds."""
    return "\n".join(
        f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n{_srt_text(cue)}\n"
        for number, cue in enumerate(_in_time(captions), 1)
    )


def as_vtt(captions: Iterable[CaptionMessage]) -> str:
    """WebVTT (W3C): cues with the speaker in a voice tag."""
    cue_texts = (f"{_time(cue.start, '.')} --> {_time(cue.end, '.')}\n{_vtt_text(cue)}\n" for cue in _in_time(captions))
    return "\n".join(("WEBVTT\n", *cue_texts))


def as_json(captions: Iterable[bytes]) -> bytes:
    """Captions that are JSON already as ``{"captions": [...]}``."""
    return b'{"captions":[%s]}' % b",".join(captions)


def _in_time(captions: Iterable[CaptionMessage]) -> list[Cue]:
    """The cues with something to show. A line of theirs is one line: a blank line would end the cue."""
    shown = (
        replace(cue, lines=lines, speaker=cue.speaker and one_line(cue.speaker))
        for cue in cues(captions)
        if (lines := tuple(filter(None, map(one_line, cue.lines))))
    )
    return sorted(shown, key=lambda cue: (cue.start, cue.end))


def _srt_text(cue: Cue) -> str:
    return "\n".join(cue.lines)


def _vtt_text(cue: Cue) -> str:
    text = "\n".join(_escaped(line) for line in cue.lines)
    return f"<v {_escaped(cue.speaker)}>{text}" if cue.speaker else text


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _time(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{point}{rest % 1000:03}"
