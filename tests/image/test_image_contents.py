"""What the image holds: what its bill of materials says, nothing secret, nothing that gives its user more rights."""

import json
import re

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.image import container, secrets

pytestmark = pytest.mark.image
PENDING = "apt-get update -qq >&2; apt-get -s upgrade | grep ^Inst || true"


@pytest.fixture(scope="module", autouse=True)
def image() -> None:
    container.build()


@pytest.fixture(scope="module")
def bill() -> str:
    return container.run("cat", "/app/sbom.cdx.json").stdout


def test_its_bill_of_materials_is_valid(bill: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill) is None


def test_its_bill_of_materials_lists_exactly_what_is_installed(bill: str) -> None:
    told = json.loads(bill)
    kinds = {"pkg:pypi": set[str](), "pkg:deb": set[str](), "pkg:generic": set[str](), "": set[str]()}
    for component in [told["metadata"]["component"], *told["components"]]:
        kind = component.get("purl", "").partition("/")[0]
        kinds[kind].add(f"{component['name']} {component['version']}")

    ours = {line for line in kinds[""] if line.startswith("livecaptions")}
    listing = "import importlib.metadata as m; [print(d.name, d.version) for d in m.distributions(path=[{site!r}])]"
    (site,) = container.run("find", "/app/.venv/lib", "-name", "site-packages").stdout.split()
    assert kinds["pkg:pypi"] | ours == set(container.run("python", "-c", listing.format(site=site)).stdout.splitlines())
    debian = container.run("dpkg-query", "--show", "--showformat", r"${Package} ${Version}\n").stdout.splitlines()
    assert kinds["pkg:deb"] == set(debian)
    assert kinds[""] - ours == {"debian 12"}
    ffmpeg = container.run("python", "-c", "import av; print('ffmpeg', av.ffmpeg_version_info)").stdout.strip()
    assert kinds["pkg:generic"] == {ffmpeg}


def test_no_security_update_waits() -> None:
    if container.as_root(PENDING):
        container.build("--no-cache")
    assert container.as_root(PENDING) == ""


def test_no_program_runs_as_another_user() -> None:
    assert container.as_root("find / -xdev -type f -perm /6000") == ""


def test_its_user_owns_and_writes_nothing_that_runs() -> None:
    """Also where the root is not read-only: plain docker run."""
    mine = container.as_root("find / -xdev ! -type l '(' -user 10001 -o -group 10001 -o -perm -o+w ')'").split()
    assert set(mine) == {"/tmp", "/var/tmp", "/run/lock", "/var/cache/livecaptions"}  # noqa: S108


def test_no_layer_holds_a_secret() -> None:
    with container.layers() as layers:
        holding = {name: list(secrets.found(layer)) for name, layer in layers}
    assert len(holding) > 3
    assert not any(holding.values()), holding


def test_its_history_and_environment_hold_no_secret() -> None:
    told = container.configuration()
    steps = [step.get("created_by", "") for step in told["History"]]
    assert any("apt-get" in step for step in steps), "this is the history"
    assert not [line for line in (*steps, *told["Config"]["Env"]) if secrets.TELLING.search(line)]
    assert not re.search(r"SSL_CERT_FILE|https?_proxy", "\n".join(steps), re.IGNORECASE)
