"""Text that stays on one line, whoever wrote it."""

import re

_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def one_line(text: str) -> str:
    """``text`` without line breaks and control characters: a text with any has single spaces alone."""
    if not _BREAKS.search(text):
        return text.strip()
    return " ".join(_BREAKS.sub(" ", text).split())
