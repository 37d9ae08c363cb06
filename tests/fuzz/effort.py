"""How much is tried: little in the tests, more with `make fuzz`."""

from typing import Any

from hypothesis import HealthCheck, Phase, settings

PROFILE = "fuzz"
"""The profile that `make fuzz` chooses."""
_USUAL = 100
"""Examples of a property where nothing else is said: hypothesis's own default."""


def register() -> None:
    """Make the profile known. Called before test modules are imported."""
    settings.register_profile(PROFILE, max_examples=10 * _USUAL, print_blob=True, deadline=None)


def times(few: int) -> int:
    """So many examples in the tests, ten times as many with `make fuzz`."""
    return few * settings().max_examples // _USUAL


def effort(few: int, **more: Any) -> settings:  # noqa: ANN401 - hypothesis's own
    """Settings of a property or state machine with ``times(few)`` examples."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
    phases = [phase for phase in Phase if phase is not Phase.explain]  # it traces every line, many times over
    return settings(max_examples=times(few), deadline=None, suppress_health_check=slow, phases=phases, **more)
