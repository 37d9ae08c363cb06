"""Whose address a request counts for: with and without proxies, and whatever a client says of itself."""

from typing import Any

import httpx
import pytest

from captions.limits import Allowance
from streamer.web.address import UNKNOWN, counted_address
from tests.streamer.system import System, running
from tests.support import script_of

SCRIPT, _ = script_of(1, words=2)


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", UNKNOWN),
        ("unknown", UNKNOWN),
        ("_hidden", UNKNOWN),
        ("192.0.2.7, 192.0.2.8", UNKNOWN),
        ("x" * 10_000, UNKNOWN),
    ],
)
def test_addresses_are_counted_by_host_or_network(host: str, counted: str) -> None:
    assert counted_address(host) == counted


async def statuses(system: System, *forwarded: str | list[str]) -> list[int]:
    """The statuses of requests from this machine with these X-Forwarded-For headers."""
    async with httpx.AsyncClient(base_url=system.http) as http:
        answers = []
        for value in forwarded:
            values = [value] if isinstance(value, str) else value
            headers = httpx.Headers([("X-Forwarded-For", each) for each in values])
            answers.append((await http.get("/v1/rooms", headers=headers)).status_code)
        return answers


ONE_REQUEST: dict[str, Any] = {"address_limits": Allowance(connections=0.01)}


@pytest.mark.server
async def test_without_trusted_proxies_nobody_names_its_own_address() -> None:
    async with running(SCRIPT, **ONE_REQUEST) as system:
        assert await statuses(system, "192.0.2.1", "192.0.2.2", "192.0.2.3") == [200, 429, 429]


@pytest.mark.server
async def test_a_proxy_that_is_not_trusted_is_a_client_like_any_other() -> None:
    async with running(SCRIPT, trusted_proxies=("10.0.0.0/8",), **ONE_REQUEST) as system:
        assert await statuses(system, "192.0.2.1", "192.0.2.2") == [200, 429]


@pytest.mark.server
async def test_behind_a_trusted_proxy_each_client_counts_for_itself() -> None:
    async with running(SCRIPT, trusted_proxies=("127.0.0.1",), **ONE_REQUEST) as system:
        assert await statuses(system, "192.0.2.1", "192.0.2.2", "192.0.2.1") == [200, 200, 429]


@pytest.mark.server
async def test_what_a_client_claims_before_the_proxys_word_counts_for_nothing() -> None:
    async with running(SCRIPT, trusted_proxies=("127.0.0.1", "10.0.0.0/8"), **ONE_REQUEST) as system:
        spoofed: list[str | list[str]] = [
            "1.1.1.1, 192.0.2.1",
            "2.2.2.2, 192.0.2.1",
            "127.0.0.1, 192.0.2.1, 10.0.0.9",
            ["3.3.3.3", "192.0.2.1"],
        ]
        assert await statuses(system, *spoofed) == [200, 429, 429, 429]


@pytest.mark.server
async def test_what_is_no_address_shares_one_allowance() -> None:
    async with running(SCRIPT, trusted_proxies=("127.0.0.1",), **ONE_REQUEST) as system:
        assert await statuses(system, "here", "there", "[::1", "192.0.2.1") == [200, 429, 429, 200]


@pytest.mark.server
async def test_addresses_of_one_ipv6_network_are_one_and_ports_are_none_of_it() -> None:
    async with running(SCRIPT, trusted_proxies=("127.0.0.1",), **ONE_REQUEST) as system:
        asked = ("2001:db8:1:2::1", "[2001:db8:1:2::ffff]:4711", "2001:db8:1:3::1", "192.0.2.1:80", "192.0.2.1:81")
        assert await statuses(system, *asked) == [200, 429, 200, 200, 429]
