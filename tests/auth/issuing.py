"""Keys of issuers, and tokens that are signed with them."""

import json
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from tests.auth.clock import NOW

SECRET = "s" * 32
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
OTHER = RSAKey.generate_key(2048, {"kid": "other"})
ALGORITHMS: list[tuple[str, RSAKey | ECKey | OKPKey]] = [("RS256", RSA), ("ES256", EC), ("EdDSA", ED), ("Ed25519", ED)]
CLAIMS: dict[str, Any] = {"sub": "7", "rooms": ["main"], "rights": ["view"], "exp": NOW + 600}


def key_set(*keys: Key) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


def signed(key: Key, algorithm: str, claims: dict[str, Any] = CLAIMS, **header: str) -> str:
    named = {"kid": key.kid} if key.kid is not None else {}
    return jwt.encode({"alg": algorithm, **named, **header}, claims, key, algorithms=[algorithm])


def rewrite(path: Path, *keys: Key) -> None:
    path.write_text(json.dumps(key_set(*keys)))
