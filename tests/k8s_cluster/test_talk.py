"""The manifests applied as they are, and the talk through the Service."""

import httpx
import pytest

from livecaptions.talk import talk_path, text
from tests.e2e.conftest import Address, pcm16, publish, viewing
from tests.e2e.promises import assert_captions_kept_their_promises, word_error_rate
from tests.k8s_cluster import cluster

pytestmark = pytest.mark.server


async def test_the_talk_is_captioned_through_the_service() -> None:
    server = Address(cluster.apply(cluster.ROOT / "k8s/overlays/dev"))
    audio = pcm16(talk_path())
    async with viewing(server, "talk") as seen:
        heard = await publish(server, "talk", audio, speed=1)
    assert_captions_kept_their_promises(heard)
    assert word_error_rate(text(), heard.text) <= 0.04
    assert heard.messages[-1]["seconds"] == pytest.approx(len(audio) / 32_000, abs=0.01)
    assert [m["text"] for m in seen if m["type"] == "caption" and m["final"]] == [m["text"] for m in heard.finals]
    async with httpx.AsyncClient(base_url=server.http) as http:
        assert (await http.get("/v1/rooms/talk/transcript?format=txt")).text.split() == heard.text.split()
