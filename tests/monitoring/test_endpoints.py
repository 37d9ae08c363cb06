"""What a process answers to operators, before and after it can work."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from monitoring.endpoints import Readiness, endpoints_alone, health, metrics_endpoint


def metrics() -> tuple[bytes, str]:
    return b"metric 1\n", "text/plain; version=1"


@pytest.fixture
def readiness() -> Readiness:
    return Readiness("the model is loading")


@pytest.fixture(params=["alone", "beside others"])
def client(request: pytest.FixtureRequest, readiness: Readiness) -> TestClient:
    if request.param == "alone":
        return TestClient(endpoints_alone(metrics, readiness.reasons))
    app = FastAPI()
    app.include_router(health(readiness.reasons))
    app.include_router(metrics_endpoint(metrics))
    return TestClient(app)


def test_health_and_metrics_answer_before_the_process_is_ready(client: TestClient) -> None:
    assert client.get("/healthz").status_code == 200
    answer = client.get("/metrics")
    assert (answer.text, answer.headers["content-type"]) == ("metric 1\n", "text/plain; version=1")


def test_readiness_tells_its_reasons(client: TestClient, readiness: Readiness) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "reasons": ["the model is loading"]})
    reasons = ["the worker has not joined its group"]
    readiness.started(lambda: reasons)
    assert client.get("/readyz").json()["reasons"] == reasons
    reasons.clear()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "reasons": []})
