"""Rules and routes on a faster clock: every duration of them times a factor, nothing else changed."""

import re
from typing import Any

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
DURATION = re.compile(r"(?:\d+[smhd])+")
IN_EXPRESSION = re.compile(rf"(?<=\[){DURATION.pattern}(?=\])|(?<=\boffset ){DURATION.pattern}")
OF_RULES = {"for", "interval"}
OF_ROUTES = {"group_wait", "group_interval", "repeat_interval"}


def duration(text: str, factor: float) -> str:
    """A duration of Prometheus times the factor, to the millisecond."""
    seconds = sum(int(count) * SECONDS[unit] for count, unit in re.findall(r"(\d+)([smhd])", text))
    return f"{max(1, round(seconds * factor * 1000))}ms"


def scaled(value: Any, factor: float) -> Any:  # noqa: ANN401 - any part of a YAML document
    """A document of rules or of Alertmanager's routes; its text, names and thresholds stay as they are."""
    if isinstance(value, list):
        return [scaled(item, factor) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _scaled(key, item, factor) for key, item in value.items()}


def _scaled(key: str, item: Any, factor: float) -> Any:  # noqa: ANN401 - any part of a YAML document
    if key == "expr":
        return IN_EXPRESSION.sub(lambda found: duration(found[0], factor), item)
    if key in OF_RULES | OF_ROUTES:
        return duration(item, factor)
    return scaled(item, factor)
