"""The hooks of a probe, and arguments to call each with."""

import inspect
from typing import Any

from captions.audio_warnings import WarningCode
from captions.connection_end import ConnectionEnd
from captions.ports.probe import Probe

HOOKS = [name for name, _ in inspect.getmembers(Probe, inspect.isfunction)]
EXAMPLES: dict[tuple[str, str], Any] = {
    ("socket_message", "socket"): "view",
    ("socket_message", "direction"): "out",
    ("audio_behind", "behind"): {3: 0.5},
    ("connection_closed", "end"): ConnectionEnd.LATE,
    ("audio_warned", "code"): WarningCode.NOT_FINITE,
}
BY_TYPE: dict[str, Any] = {"str": "x", "float": 0.5, "int": 3, "str | None": "acme"}


def arguments(hook: str) -> list[Any]:
    """What a hook may be told."""
    parameters = [p for p in inspect.signature(getattr(Probe, hook)).parameters.values() if p.name != "self"]
    return [
        EXAMPLES[hook, p.name] if (hook, p.name) in EXAMPLES else BY_TYPE[inspect.formatannotation(p.annotation)]
        for p in parameters
    ]
