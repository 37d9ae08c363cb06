"""Caption messages to test with."""

from datetime import UTC, datetime, timedelta
from typing import Any

from captions.messages import CaptionMessage

BEGAN = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


def caption(
    *, track: str = "main", utterance: int = 0, revision: int = 1, final: bool = False, text: str = "the log",
    start: float = 1.0, step: float = 0.4, language: str = "en", **fields: Any,  # noqa: ANN401 - any field of the message

) -> CaptionMessage:  # fmt: skip
    """A caption whose words follow each other every ``step`` seconds."""
    said = text.split() if language == "en" else list(text)
    words = [
        {"text": word, "start": round(start + n * step, 3), "end": round(start + (n + 1) * step, 3), "confidence": 0.9}
        for n, word in enumerate(said)
    ]
    values = {
        "room": "hall",
        "track": track,
        "utterance": utterance,
        "pass": fields.pop("pass_", "live"),
        "revision": revision,
        "final": final,
        "language": language,
        "start": start,
        "end": start + len(said) * step,
        "started_at": BEGAN + timedelta(seconds=start),
        "text": text,
        "stable": len(said) if final else 0,
        "words": words if final else None,
        **fields,
    }
    return CaptionMessage.model_validate(values)
