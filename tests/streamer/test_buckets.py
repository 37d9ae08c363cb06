"""What the limits of a gateway remember: no more accounts than fit, and the busy ones."""

import pytest

from captions.access import ANYBODY
from captions.errors import TooMany
from captions.limits import Allowance
from captions.ports.probe import Probe
from streamer import limits as module
from streamer.limits import Limits
from streamer.settings import GatewaySettings
from streamer.usage import Usage
from tests.support import LoopClock

pytestmark = pytest.mark.looptime


def limits_of(**allowed: float) -> Limits:
    settings = GatewaySettings(address_limits=Allowance.model_validate(allowed))
    return Limits(settings, LoopClock(), Probe(), Usage(LoopClock()))


async def test_a_flood_of_addresses_takes_bounded_memory_and_forgets_no_busy_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_BUCKETS", 100)
    limits = limits_of(connections=0.1)
    for _ in range(3):
        limits.knock("192.0.2.1")
    for number in range(1000):
        limits.knock(f"2001:db8:0:{number:x}::/64")
        with pytest.raises(TooMany):
            limits.knock("192.0.2.1")
    assert len(limits._buckets) == 100


async def test_a_rate_that_the_operator_changes_applies_from_now_on() -> None:
    limits = limits_of(messages=1)
    before = limits.messages(limits.caller(ANYBODY, "192.0.2.1"))
    for _ in range(30):
        before.command()
    with pytest.raises(TooMany):
        before.command()
    limits._settings = limits_of(messages=2)._settings
    after = limits.messages(limits.caller(ANYBODY, "192.0.2.1"))
    for _ in range(60):
        after.command()
    with pytest.raises(TooMany) as refused:
        after.command()
    assert refused.value.retry_after == 1
