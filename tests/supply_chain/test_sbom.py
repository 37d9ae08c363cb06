"""The bill of materials of the environment that runs these tests."""

import json
import sys
from importlib import metadata
from pathlib import Path

import pytest

from tools import sbom

pytestmark = pytest.mark.server
PYTHON = Path(sys.executable)


def test_it_lists_what_is_installed_and_ffmpeg_and_is_the_same_twice() -> None:
    text = sbom.describe(PYTHON, debian=False)
    bill = json.loads(text)
    listed = {
        (component["name"], component["version"]) for component in [bill["metadata"]["component"], *bill["components"]]
    }
    (ffmpeg,) = [component for component in bill["components"] if component["name"] == "ffmpeg"]
    installed = {(each.name, each.version) for each in metadata.distributions()}
    assert listed == installed | {("ffmpeg", ffmpeg["version"])}
    assert "timestamp" not in bill["metadata"]
    assert text == sbom.describe(PYTHON, debian=False)


def test_it_is_valid() -> None:
    sbom.validate(sbom.describe(PYTHON, debian=False))


def test_what_the_schema_does_not_allow_is_refused() -> None:
    with pytest.raises(ValueError, match="not valid CycloneDX"):
        sbom.validate('{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"called": "ffmpeg"}]}')
