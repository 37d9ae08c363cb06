"""Loads an engine from a model's folder. Errors say what the operator can do."""

from dataclasses import asdict

import ctranslate2
import structlog
import threadpoolctl
import tokenizers

from captions.errors import SetupError
from inference.engine.parallelism import Parallelism, available_cores
from inference.engine.whisper import WhisperEngine
from inference.engine.windows import WhisperSettings
from inference.models import ModelFolder, resolve

_log = structlog.get_logger(__name__)


def load_engine(
    model: str,
    *,
    device: str = "auto",
    compute_type: str = "default",
    threads: int = 0,
    decoders: int = 0,
    settings: WhisperSettings | None = None,
    progress: bool = False,
) -> WhisperEngine:
    """The engine for a model's name or folder, loaded but not warmed up.

    ``device`` is ``auto``, ``cpu`` or ``cuda``; ``compute_type`` one of CTranslate2's, ``default`` being int8 on a
    CPU and float16 on a GPU. ``threads`` is the number of CPU threads of one decode, ``decoders`` that of simultaneous
    decodes; 0 chooses what fits the model and the machine. ``progress`` shows the progress of a download. Raises
    ``SetupError`` where the model, the device or the type is not available.
    """
    chosen = choose_device(device)
    folder = resolve(model, device=chosen, progress=progress)
    parallelism = Parallelism.choose(
        decoders=decoders,
        threads=threads,
        device=chosen,
        weights=(folder.path / "model.bin").stat().st_size,
        cores=available_cores(),
    )
    return open_engine(folder, device=chosen, compute_type=compute_type, parallelism=parallelism, settings=settings)


def choose_device(device: str) -> str:
    """``cpu`` or ``cuda``; ``auto`` takes a GPU where CTranslate2 finds one. Raises ``SetupError``."""
    gpus = _gpus()
    if device == "auto":
        return "cuda" if gpus else "cpu"
    if device == "cuda" and not gpus:
        raise SetupError(
            "no GPU was found: check that nvidia-smi lists it and the driver supports CUDA 12, or use --device cpu"
        )
    return device


def open_engine(
    folder: ModelFolder,
    *,
    device: str,
    compute_type: str,
    parallelism: Parallelism,
    settings: WhisperSettings | None = None,
) -> WhisperEngine:
    """The engine for a folder that was checked before. Reads its weights: call it off the event loop.

    Raises ``SetupError``.
    """
    if compute_type == "default":
        compute_type = "int8" if device == "cpu" else "float16"
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(folder.path / "tokenizer.json"))
    except Exception as error:
        raise SetupError(f"{folder.path}/tokenizer.json cannot be read ({error}): download the model again") from error
    # numpy's own threads gain nothing on such small matrices, and spin for a while after each: half a decode's CPU
    threadpoolctl.threadpool_limits(1, user_api="blas")
    model = _load(folder, device, compute_type, parallelism)
    engine = WhisperEngine(
        model,
        tokenizer,
        name=folder.name,
        revision=folder.revision(),
        settings=settings,
        decoders=parallelism.decoders,
    )
    _log.info(
        "model_loaded", path=str(folder.path), revision=engine.revision, **engine.describe(), **asdict(parallelism)
    )
    return engine


def _load(folder: ModelFolder, device: str, compute_type: str, parallelism: Parallelism) -> ctranslate2.models.Whisper:
    try:
        return ctranslate2.models.Whisper(
            str(folder.path),
            device=device,
            compute_type=compute_type,
            intra_threads=parallelism.threads,
            inter_threads=parallelism.decoders,
        )
    except (RuntimeError, ValueError, MemoryError) as error:
        raise SetupError(_explain(str(error), folder, device, compute_type)) from error


def _explain(message: str, folder: ModelFolder, device: str, compute_type: str) -> str:
    """What the operator can do about an error of CTranslate2, which has a text but no type."""
    lower = message.lower()
    if "compute type" in lower:
        types = ", ".join(sorted(ctranslate2.get_supported_compute_types(device)))
        return f"--compute-type {compute_type} is not available on this {device}: choose default or one of {types}"
    if "out of memory" in lower or "alloc" in lower:
        return (
            f"{folder.name} does not fit into the memory of this {device}: choose a smaller --model, "
            f"--compute-type int8, or free memory ({message})"
        )
    if any(part in lower for part in ("libcublas", "libcudnn", "libcudart", "cuda driver", "is not found or cannot")):
        return (
            f"CUDA's libraries cannot be loaded ({message}): install cuBLAS and cuDNN for CUDA 12 "
            "(pip install nvidia-cublas-cu12 nvidia-cudnn-cu12, and name them in LD_LIBRARY_PATH), or use --device cpu"
        )
    if "cuda" in lower:
        return f"the GPU cannot be used ({message}): check nvidia-smi, or use --device cpu"
    return (
        f"the model in {folder.path} is damaged or has an unsupported version ({message}): download or convert it again"
    )


def _gpus() -> int:
    try:
        return int(ctranslate2.get_cuda_device_count())
    except RuntimeError as error:
        _log.info("no_gpu", reason=str(error))
        return 0
