"""What no layer of an image may hold."""

import re
import tarfile
from collections.abc import Iterator

NAMES = re.compile(
    r"(^|/)(\.git|\.env|\.netrc|\.npmrc|\.pypirc|\.ssh|\.docker|\.aws|\.kube|id_(rsa|ecdsa|ed25519)|\.\w+_history"
    r"|[^/]+\.(key|p12|pfx|jks)|pip\.conf|uv\.toml|livecaptions\.toml)$"
)
CONTENTS = re.compile(
    rb"-----BEGIN ([A-Z]+ )?PRIVATE KEY-----\s+(Proc-Type:|[A-Za-z0-9+/=]{16})"
    rb"|\b(ghp|gho|pypi|glpat|xox[bp])[-_][A-Za-z0-9_-]{30,}|\bAKIA[A-Z0-9]{16}\b|\blck_[0-9a-f]{8}_[\w-]{32}"
)
LARGEST = 1024 * 1024
"""Bytes of a file that is read for secrets; larger ones are libraries and models."""
TELLING = re.compile(r"(?i)(passw|secret|token|api_?key|credential)\w*=\S")


def found(layer: tarfile.TarFile) -> Iterator[str]:
    """The paths in ``layer`` whose name or content is that of a secret."""
    for entry in layer:
        file = layer.extractfile(entry) if entry.isfile() and entry.size <= LARGEST else None
        if NAMES.search(entry.name) or (file is not None and CONTENTS.search(file.read())):
            yield entry.name
