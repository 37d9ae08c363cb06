from pathlib import Path

import ctranslate2
import pytest
import threadpoolctl

from captions.errors import SetupError
from inference.engine import load_engine
from inference.engine.load import choose_device
from inference.engine.parallelism import available_cores
from inference.models import EMBEDDED, resolve

pytestmark = pytest.mark.weights


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder like tiny.en's, its files linked."""
    folder = tmp_path / "copied"
    folder.mkdir()
    for file in resolve(EMBEDDED).path.iterdir():
        (folder / file.name).symlink_to(file)
    return folder


def test_a_folder_is_loaded_under_its_own_name(copied: Path) -> None:
    engine = load_engine(str(copied), device="cpu", threads=1)
    assert engine.model_name == "copied"
    assert engine.revision == "1a5afae06a4d", "the same weights under another name"


def test_a_small_model_gets_a_decoder_for_each_core_and_told_what_to_do_does_that() -> None:
    assert load_engine(EMBEDDED, device="cpu").decoders == available_cores()
    assert load_engine(EMBEDDED, device="cpu", decoders=3).decoders == 3


def test_numpy_computes_in_the_calling_thread() -> None:
    threadpoolctl.threadpool_limits(2, user_api="blas")
    load_engine(EMBEDDED, device="cpu", threads=1)
    assert [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"] == [1]


@pytest.mark.parametrize("size", [60, 5_000, 40_000_000])
def test_truncated_weights(copied: Path, size: int) -> None:
    weights = copied / "model.bin"
    data = weights.read_bytes()[:size]
    weights.unlink()
    weights.write_bytes(data)
    with pytest.raises(SetupError, match=r"damaged or has an unsupported version .* download or convert it again"):
        load_engine(str(copied), device="cpu", threads=1)


def test_a_broken_tokenizer(copied: Path) -> None:
    (copied / "tokenizer.json").unlink()
    (copied / "tokenizer.json").write_text("{")
    with pytest.raises(SetupError, match=r"tokenizer\.json cannot be read"):
        load_engine(str(copied), device="cpu", threads=1)


def test_a_broken_config(copied: Path) -> None:
    (copied / "config.json").unlink()
    (copied / "config.json").write_text("{")
    with pytest.raises(SetupError, match="download or convert it again"):
        load_engine(str(copied), device="cpu", threads=1)


def test_a_compute_type_that_is_not_available() -> None:
    with pytest.raises(SetupError, match=r"--compute-type int4 is not available on this cpu: .*default.*float32"):
        load_engine(EMBEDDED, device="cpu", compute_type="int4")


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 0)
    assert choose_device("auto") == choose_device("cpu") == "cpu"
    with pytest.raises(SetupError, match=r"no GPU was found.*--device cpu"):
        choose_device("cuda")
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 2)
    assert choose_device("auto") == choose_device("cuda") == "cuda"
    assert choose_device("cpu") == "cpu"


@pytest.mark.parametrize(
    ("library_says", "we_say"),
    [
        ("CUDA failed with error out of memory", "does not fit into the memory .* smaller --model"),
        ("std::bad_alloc", "does not fit into the memory .* smaller --model"),
        ("Library libcublas.so.12 is not found or cannot be loaded", "CUDA's libraries cannot be loaded .* cuBLAS"),
        ("CUDA failed with error no kernel image is available", "the GPU cannot be used .* --device cpu"),
    ],
)
def test_what_libraries_say_becomes_what_to_do(monkeypatch: pytest.MonkeyPatch, library_says: str, we_say: str) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(library_says)

    monkeypatch.setattr(ctranslate2.models, "Whisper", fail)
    with pytest.raises(SetupError, match=we_say):
        load_engine(EMBEDDED, device="cpu")
