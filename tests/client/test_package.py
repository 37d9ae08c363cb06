"""The package as strangers get it: its README's code against a real server, and its wheel."""

import asyncio
import re
import subprocess
import sys
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

import pytest
import websockets

from captions.audio import SAMPLE_RATE, to_bytes
from tests.streamer.system import System, running
from tests.support import script_of

pytestmark = pytest.mark.server

SCRIPT, PCM = script_of(2, words=4)
SAID = [" ".join(word.text for word in SCRIPT[:4]), " ".join(word.text for word in SCRIPT[4:])]
PACKAGE = Path(__file__).resolve().parents[2] / "livecaptions_client"
PUBLISHING, VIEWING = re.findall(r"```python\n(.*?)```", (PACKAGE / "README.md").read_text(), re.DOTALL)


def record(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(to_bytes(PCM))


@asynccontextmanager
async def example(code: str, system: System, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    assert "http://localhost:8080" in code
    code = code.replace("http://localhost:8080", system.http)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=folder, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(30):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def test_the_first_example_is_ten_lines() -> None:
    lines = [line for line in PUBLISHING.splitlines() if line and not line.startswith(("import ", "from "))]
    assert len(lines) <= 10


async def test_the_readme_publishes_a_file_and_prints_its_captions(tmp_path: Path) -> None:
    record(tmp_path / "talk.wav")
    async with running(SCRIPT) as system, example(PUBLISHING, system, tmp_path) as process:
        out, _ = await process.communicate()
    assert process.returncode == 0
    assert out.decode().splitlines() == SAID


async def test_the_readme_views_a_room(tmp_path: Path) -> None:
    record(tmp_path / "talk.wav")
    async with running(SCRIPT) as system, example(VIEWING, system, tmp_path) as viewing:
        async with example(PUBLISHING, system, tmp_path) as publishing:
            await publishing.communicate()
        assert viewing.stdout is not None
        lines = [(await viewing.stdout.readline()).decode().rstrip("\n") for _ in SAID]
    assert lines == [f"Ada {text}" for text in SAID]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=PACKAGE, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_is_typed_and_needs_websockets_only(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        (described,) = [name for name in names if name.endswith("/METADATA")]
        metadata = message_from_bytes(archive.read(described))
    assert "livecaptions_client/py.typed" in names
    assert {f"livecaptions_client/{path.name}" for path in PACKAGE.glob("src/*/*.py")} < set(names)
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert [requirement.split(">")[0] for requirement in metadata.get_all("Requires-Dist", [])] == ["websockets"]
    assert metadata["Name"] == "livecaptions-client"


def test_the_wheel_is_imported_with_nothing_but_websockets(wheel: Path, tmp_path: Path) -> None:
    folder = Path(websockets.__file__).parent
    (tmp_path / "websockets").symlink_to(folder)
    code = (
        "import sys; sys.path += sys.argv[1:]; import livecaptions_client as client; "
        "print(client.__file__, all(hasattr(client, name) for name in client.__all__))"
    )
    command = [sys.executable, "-I", "-S", "-c", code, str(wheel), str(tmp_path)]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert found == f"{wheel}/livecaptions_client/__init__.py True\n"


def test_the_license_is_the_project_s() -> None:
    assert (PACKAGE / "LICENSE").read_bytes() == (PACKAGE.parent / "LICENSE").read_bytes()
