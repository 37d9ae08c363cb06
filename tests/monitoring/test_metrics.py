import inspect

from prometheus_client.parser import text_string_to_metric_families

from captions.ports.probe import Probe
from monitoring.metrics import PrometheusProbe

EXAMPLES: dict[str, object] = {"str": "x", "float": 0.5, "int": 3}


def rendered(probe: PrometheusProbe) -> dict[str, float]:
    body, _ = probe.render()
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def test_every_hook_shows() -> None:
    for name, hook in inspect.getmembers(Probe, inspect.isfunction):
        assert name in vars(PrometheusProbe), f"{name} is not measured"
        probe = PrometheusProbe()
        before = rendered(probe)
        parameters = [p for p in inspect.signature(hook).parameters.values() if p.name != "self"]
        getattr(probe, name)(*(EXAMPLES[p.annotation.__name__] for p in parameters))
        assert rendered(probe) != before, f"{name} changes nothing"


def test_names_have_a_prefix_a_unit_and_help() -> None:
    body, content_type = PrometheusProbe().render()
    assert content_type.startswith("text/plain")
    parsed = text_string_to_metric_families(body.decode())
    families = [family for family in parsed if not family.name.endswith("_created")]
    assert len(families) >= 15
    units = ("seconds", "ratio", "windows", "utterances")
    counted = ("sessions", "viewers", "ends", "refusals", "dropped", "redecoded", "fired", "failures", "records")
    for family in families:
        assert family.name.startswith("livecaptions_")
        assert family.documentation
        assert family.name.endswith((*units, *counted)), family.name
