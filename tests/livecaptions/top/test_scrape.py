import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from livecaptions.top.scrape import NotMetricsError, read_scrape
from monitoring.families import Families
from monitoring.metrics import ServeProbe


def test_what_grows_is_told_from_what_stands() -> None:
    registry = CollectorRegistry()
    Counter("livecaptions_refusals", "-", ["code"], registry=registry).labels("too_many").inc(3)
    Gauge("livecaptions_viewers", "-", ["kind"], registry=registry).labels("ws").set(2)
    Histogram("livecaptions_final_seconds", "-", registry=registry, buckets=(1, 2)).observe(1.5)
    Gauge("other", "-", registry=registry).set(1)
    scrape = read_scrape(generate_latest(registry).decode(), 5.0)
    assert scrape.at == 5
    assert scrape.counters["livecaptions_refusals_total", frozenset({("code", "too_many")})] == 3
    assert scrape.counters["livecaptions_final_seconds_bucket", frozenset({("le", "2.0")})] == 1
    assert scrape.gauge("livecaptions_viewers") == 2
    assert scrape.by_label("livecaptions_viewers", "kind") == {"ws": 2}
    assert scrape.gauge("other") is None
    assert scrape.gauge("livecaptions_refusals_total") is None


def test_our_own_page_is_read_whole() -> None:
    probe = ServeProbe(Families(), "1.2")
    probe.session_opened()
    probe.viewer_opened("sse")
    scrape = read_scrape(probe.render()[0].decode(), 0.0)
    assert scrape.gauge("livecaptions_sessions") == 1
    assert scrape.by_label("livecaptions_viewers", "kind") == {"ws": 0, "sse": 1}
    assert scrape.label("livecaptions_build_info", "version") == "1.2"


@pytest.mark.parametrize("page", ["", "<html>hello</html>", "up 1\n", 'livecaptions_x{a="b 1', "livecaptions_x one\n"])
def test_another_page_is_none_of_ours(page: str) -> None:
    with pytest.raises(NotMetricsError):
        read_scrape(page, 0.0)
