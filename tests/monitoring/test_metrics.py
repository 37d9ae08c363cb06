from collections.abc import Callable, Sequence

import pytest
from prometheus_client.parser import text_string_to_metric_families

from captions.errors import REFUSALS
from captions.gates import GATES
from captions.limits import Limit, Scope
from monitoring.decoding_metrics import DecodingProbe
from monitoring.families import Families
from monitoring.metrics import GatewayProbe, PrometheusProbe, RefineProbe, ServeProbe, WorkerProbe
from streamer.audio.stops import Stop
from tests.monitoring.hooks import HOOKS, arguments


def gateway(tenants: Sequence[str] | None = None) -> GatewayProbe:
    return GatewayProbe(Families(), "1.2", tenants)


def worker() -> WorkerProbe:
    return WorkerProbe(Families(), "1.2")


def refine() -> RefineProbe:
    return RefineProbe(Families(), "1.2")


def serve() -> ServeProbe:
    return ServeProbe(Families(), "1.2", ("acme",))


def rendered(probe: PrometheusProbe) -> dict[str, float]:
    body, _ = probe.render()
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
        if sample.name.startswith("livecaptions_")
    }


def families(probe: PrometheusProbe) -> set[str]:
    body, _ = probe.render()
    return {family.name for family in text_string_to_metric_families(body.decode())}


@pytest.mark.parametrize("hook", sorted(set(HOOKS) - {"partition_revoked"}))
def test_every_hook_shows(hook: str) -> None:
    probe = serve()
    before = rendered(probe)
    getattr(probe, hook)(*arguments(hook))
    assert rendered(probe) != before


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("session_ends_total", {"outcome": "away"}),
        ("viewer_ends_total", {"kind": "sse", "outcome": "slow_consumer"}),
        *(("refusals_total", {"code": refusal.code}) for refusal in REFUSALS),
        ("utterance_seconds_count", {"reason": "longest"}),
        *(("gates_fired_total", {"gate": gate}) for gate in GATES),
        *(("decoder_stops_total", {"reason": str(stop)}) for stop in Stop),
        ("dead_letter_records_total", {"kind": "utterance"}),
        ("log_errors_total", {"operation": "append"}),
    ],
)
def test_what_may_happen_is_told_before_it_does(name: str, labels: dict[str, str]) -> None:
    assert rendered(serve())[f"livecaptions_{name}{sorted(labels.items())}"] == 0


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_measured_by_one_role(hook: str) -> None:
    roles = (PrometheusProbe, GatewayProbe, DecodingProbe, WorkerProbe, RefineProbe)
    assert sum(hook in vars(role) for role in roles) == 1


def test_a_role_measures_nothing_of_another() -> None:
    of_gateway, of_worker, of_refine = families(gateway(["acme"])), families(worker()), families(refine())
    assert of_gateway | of_worker | of_refine == families(serve())
    of_all = {
        "livecaptions_audio_partitions",
        "livecaptions_build_info",
        "livecaptions_event_loop_lag_seconds",
        "livecaptions_log_errors",
    }
    assert {name for name in of_gateway & (of_worker | of_refine) if name.startswith("livecaptions_")} == of_all
    of_decodes = {"decode_seconds", "decoded_audio_seconds", "decode_batch_windows", "decode_failures"}
    of_models = {"model_info", "model_loaded", "real_time_factor_ratio"}
    shared = {name for name in of_worker & of_refine if name.startswith("livecaptions_")}
    assert shared == of_all | {f"livecaptions_{name}" for name in of_decodes | of_models}


def test_the_second_pass_tells_what_it_changes_and_how_late() -> None:
    probe = refine()
    probe.model_loaded("base", "int8", "cpu")
    found = rendered(probe)
    for name in ("refined_words_total", "refined_words_changed_total", "decode_failures_total"):
        assert found[f"livecaptions_{name}[('model', 'base')]"] == 0
    assert found["livecaptions_decode_seconds_total[('kind', 'refined'), ('model', 'base')]"] == 0
    assert found["livecaptions_refine_skipped_seconds_total[]"] == 0
    probe.refined("base", 12, 2, 31.0)
    probe.refined("base", 8, 0, 9.0)
    probe.refine_behind(4.5)
    probe.refine_skipped(28.0)
    found = rendered(probe)
    assert found["livecaptions_refined_words_total[('model', 'base')]"] == 20
    assert found["livecaptions_refined_words_changed_total[('model', 'base')]"] == 2
    assert found["livecaptions_refine_late_seconds_bucket[('le', '10.0')]"] == 1
    assert found["livecaptions_refine_late_seconds_sum[]"] == 40
    assert found["livecaptions_refine_behind_seconds[]"] == 4.5
    assert found["livecaptions_refine_skipped_seconds_total[]"] == 28


@pytest.mark.parametrize("probe", [gateway, worker, refine])
def test_the_process_and_its_garbage_are_measured_too(probe: Callable[[], PrometheusProbe]) -> None:
    assert {"process_cpu_seconds", "process_resident_memory_bytes", "python_gc_collections"} <= families(probe())


def test_the_series_of_a_revoked_partition_go() -> None:
    probe = worker()
    for partition in (1, 2):
        probe.partition_assigned(partition)
        probe.consumer_lag(partition, 7)
    probe.audio_behind({1: 0.5, 2: 3.0})
    both = rendered(probe)
    probe.partition_revoked(1)
    gone = both.keys() - rendered(probe).keys()
    assert gone == {
        f"livecaptions_{name}[('partition', '1')]"
        for name in ("partition_assigned", "consumer_lag_records", "audio_behind_seconds")
    }


def test_a_models_series_are_there_before_it_decodes() -> None:
    probe = worker()
    probe.model_loaded("tiny.en", "int8", "cpu")
    found = rendered(probe)
    for name in ("decode_seconds_total", "decoded_audio_seconds_total", "decode_batch_windows_count"):
        for kind in ("final", "partial"):
            assert found[f"livecaptions_{name}[('kind', '{kind}'), ('model', 'tiny.en')]"] == 0
    for name in ("decode_failures_total", "windows_redecoded_total"):
        assert found[f"livecaptions_{name}[('model', 'tiny.en')]"] == 0


def test_tenants_have_series_where_they_were_asked_for_and_new_ones_as_they_come() -> None:
    silent = gateway()
    silent.session_opened("acme")
    assert not {name for name in families(silent) if "livecaptions_tenant" in name}
    probe = gateway(["acme", "zenith"])
    probe.session_opened("acme")
    probe.session_opened("newcomer")
    probe.session_opened()
    probe.audio_received(2.5, "acme")
    probe.session_opened("zenith")
    probe.session_closed("done", "zenith")
    found = {name: value for name, value in rendered(probe).items() if "livecaptions_tenant" in name}
    assert found == {
        "livecaptions_tenant_sessions[('tenant', 'acme')]": 1,
        "livecaptions_tenant_sessions[('tenant', 'newcomer')]": 1,
        "livecaptions_tenant_sessions[('tenant', 'zenith')]": 0,
        "livecaptions_tenant_audio_seconds_total[('tenant', 'acme')]": 2.5,
        "livecaptions_tenant_audio_seconds_total[('tenant', 'newcomer')]": 0,
        "livecaptions_tenant_audio_seconds_total[('tenant', 'zenith')]": 0,
    }
    assert rendered(probe)["livecaptions_sessions[]"] == 4 - 1


def test_tenants_beyond_the_first_hundred_are_counted_together() -> None:
    probe = gateway([])
    for number in range(150):
        probe.audio_received(2.0, f"tenant-{number}")
        probe.session_opened(f"tenant-{number}")
    probe.session_closed("done", "tenant-149")
    found = rendered(probe)
    assert len([name for name in found if name.startswith("livecaptions_tenant_sessions")]) == 101
    assert found["livecaptions_tenant_sessions[('tenant', 'tenant-99')]"] == 1
    assert found["livecaptions_tenant_sessions[('tenant', 'other')]"] == 49
    assert found["livecaptions_tenant_audio_seconds_total[('tenant', 'other')]"] == 100


def test_every_limit_of_every_scope_has_a_series_from_the_start() -> None:
    probe = gateway()
    probe.limited(Limit.VIEWERS, Scope.ADDRESS)
    found = {name: value for name, value in rendered(probe).items() if name.startswith("livecaptions_limited_total")}
    assert len(found) == len(Limit) * len(Scope)
    assert {name for name, value in found.items() if value} == {
        "livecaptions_limited_total[('limit', 'viewers'), ('scope', 'address')]"
    }
