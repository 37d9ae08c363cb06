"""``livecaptions worker``, ``gateway`` and ``refine`` as operators see them: real processes, Kafka and weights."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from captions.caption import Pass
from captions.messages import CaptionMessage
from livecaptions.processes import free_ports
from livecaptions.settings.fields import ENV_PREFIX
from livecaptions.talk import talk_path

pytestmark = pytest.mark.kafka

PARTITIONS = 3
TIMEOUT = 120.0


class Installation:
    """Commands on one broker, with topics of their own."""

    def __init__(self, bootstrap: str, **environment: str) -> None:
        self._flags = [
            "--transport",
            f"kafka://{bootstrap}",
            "--kafka-prefix",
            f"roles-{os.getpid()}-{time.time_ns()}-",
        ]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)}
        self._environment = {**kept, **environment}
        subprocess.run(self._command("topics", "--partitions", str(PARTITIONS)), check=True, env=self._environment)

    def _command(self, role: str, *flags: str) -> list[str]:
        return [sys.executable, "-m", "livecaptions.cli", role, *self._flags, *flags]

    @contextmanager
    def role(self, role: str, *flags: str) -> Iterator[subprocess.Popen[bytes]]:
        """A process of this role; it has to end well when it is asked to."""
        process = subprocess.Popen(self._command(role, *flags), env=self._environment)
        try:
            yield process
            if process.poll() != -signal.SIGKILL:  # the test killed it
                process.terminate()
                assert process.wait(TIMEOUT) == 0
        finally:
            process.kill()
            process.wait()


def until(found: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Return when it is so; the process must live meanwhile."""
    deadline = time.monotonic() + TIMEOUT
    while not found():
        assert process.poll() is None, "the process ended: what it printed says why"
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.05)


def readiness(url: str) -> tuple[int, Sequence[str]] | None:
    """The status and the reasons of ``/readyz``; None where nobody answers."""
    try:
        answer = httpx.get(f"{url}/readyz", timeout=10)
    except httpx.TransportError:
        return None
    return answer.status_code, answer.json()["reasons"]


def metrics(url: str) -> Mapping[str, float]:
    """Samples by name and their labels' values, in order of the labels' names."""
    families = text_string_to_metric_families(httpx.get(f"{url}/metrics", timeout=10).text)
    return {
        "/".join(
            [sample.name.removeprefix("livecaptions_"), *(sample.labels[name] for name in sorted(sample.labels))]
        ): (sample.value)
        for family in families
        for sample in family.samples
    }


def send_talk(url: str, room: str = "hall") -> None:
    command = [sys.executable, "-m", "livecaptions.cli", "send", str(talk_path()), "--room", room, "--fast"]
    subprocess.run([*command, "--url", url], check=True, timeout=TIMEOUT, stdout=subprocess.DEVNULL)


def test_a_worker_answers_while_its_model_loads_and_measures_what_it_decodes(bootstrap: str) -> None:
    port, gateway_port = free_ports(2)
    url, gateway_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{gateway_port}"
    installation = Installation(bootstrap)
    with installation.role("worker", "--model", "tiny.en", "--metrics-port", str(port)) as worker:
        until(lambda: readiness(url) is not None, worker)
        assert readiness(url) == (503, ["the model is loading"])
        assert httpx.get(f"{url}/healthz").status_code == 200
        before = metrics(url)
        assert before["model_loaded"] == 0
        assert "sessions" not in before
        with installation.role("gateway", "--port", str(gateway_port)) as gateway:
            until(lambda: readiness(url) == (200, []), worker)
            until(lambda: {f"partition_assigned/{n}" for n in range(PARTITIONS)} <= metrics(url).keys(), worker)
            until(lambda: readiness(gateway_url) == (200, []), gateway)
            send_talk(gateway_url)
            until(lambda: metrics(gateway_url)["finals_awaited"] == 0, gateway)
            at_gateway = metrics(gateway_url)
        at_worker = metrics(url)
    assert at_worker["model_loaded"] == 1
    assert at_worker["audio_partitions"] == at_gateway["audio_partitions"] == PARTITIONS
    assert at_worker["finals_published_total"] == at_worker["final_seconds_count"] > 3
    assert at_worker["words_published_total"] > 60
    assert at_worker["word_confidence_count"] > 60
    assert 0 < at_worker["word_shown_seconds_count"] <= at_worker["words_published_total"]
    assert at_worker["rebalances_total"] >= 1
    assert at_worker["process_cpu_seconds_total"] > 0
    assert {f"audio_behind_seconds/{n}" for n in range(PARTITIONS)} <= at_worker.keys()
    assert "finals_published_total" not in at_gateway
    assert at_gateway["session_ends_total/done"] == 1
    assert at_gateway["socket_messages_total/in/publish"] > 10
    assert at_gateway["http_requests_total/GET//readyz/200"] >= 1


def test_roles_that_share_a_folder_answer_for_each_other(bootstrap: str, tmp_path: Path) -> None:
    ports = free_ports(2)
    one, other = (f"http://127.0.0.1:{port}" for port in ports)
    installation = Installation(bootstrap, PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    with (
        installation.role("gateway", "--port", str(ports[0])) as first,
        installation.role("gateway", "--port", str(ports[1])) as second,
    ):
        until(lambda: readiness(one) == (200, []), first)
        until(lambda: readiness(other) == (200, []), second)
        for _ in range(3):
            httpx.get(f"{one}/healthz")
        for _ in range(4):
            httpx.get(f"{other}/healthz")
        assert metrics(one)["http_requests_total/GET//healthz/200"] == 7
        assert metrics(other)["http_requests_total/GET//healthz/200"] == 7
        assert not [name for name in metrics(one) if name.startswith("process_")]


def refined(url: str, room: str) -> list[tuple[int, int, str]]:
    """The captions of a room that the second pass changed: utterance, revision and text."""
    answer = httpx.get(f"{url}/v1/rooms/{room}/transcript", params={"format": "json"}, timeout=10)
    captions = [CaptionMessage.model_validate(caption) for caption in answer.json()["captions"]]
    return [(c.utterance, c.revision, c.text) for c in captions if c.version.pass_ is Pass.REFINED]


def settled(url: str, room: str, *processes: subprocess.Popen[bytes]) -> list[tuple[int, int, str]]:
    """What the second pass changed, after it was quiet for so long that all windows have ended."""
    found, since = refined(url, room), time.monotonic()
    while time.monotonic() - since < 30 or not found:
        assert time.monotonic() - since < TIMEOUT, "nothing was refined"
        assert all(process.poll() is None for process in processes)
        time.sleep(0.5)
        if (now := refined(url, room)) != found:
            found, since = now, time.monotonic()
    return found


def test_a_second_pass_that_is_killed_changes_the_same_captions_and_live_ones_never_wait(bootstrap: str) -> None:
    gateway_port, *ports = free_ports(3)
    gateway_url, *urls = (f"http://127.0.0.1:{port}" for port in (gateway_port, *ports))
    installation = Installation(bootstrap, LIVECAPTIONS_MODEL="tiny.en", LIVECAPTIONS_REFINE_WITHIN="600")
    flags = [("--metrics-port", str(port)) for port in ports]
    with (
        installation.role("worker"),
        installation.role("gateway", "--port", str(gateway_port)) as gateway,
    ):
        until(lambda: readiness(gateway_url) == (200, []), gateway)
        send_talk(gateway_url, "alone")
        until(lambda: metrics(gateway_url)["finals_awaited"] == 0, gateway)  # there is no second pass yet
        with installation.role("refine", *flags[0]) as refine:
            until(lambda: readiness(urls[0]) == (200, []), refine)
            expected = settled(gateway_url, "alone", refine, gateway)
            send_talk(gateway_url, "hall")
            done = metrics(urls[0])["decode_seconds_total/refined/tiny.en"]
            until(lambda: metrics(urls[0])["decode_seconds_total/refined/tiny.en"] > done, refine)
            refine.kill()
            refine.wait()
            killed = refined(gateway_url, "hall")
            with installation.role("refine", *flags[1]) as second:
                until(lambda: readiness(urls[1]) == (200, []), second)
                assert settled(gateway_url, "hall", second, gateway) == expected
    assert set(killed) <= set(expected)
    assert len(expected) > 2
