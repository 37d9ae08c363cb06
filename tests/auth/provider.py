"""An OpenID Connect provider in this process, which misbehaves as a test asks."""

import asyncio
import base64
import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

ISSUER = "https://id.example/realm"
CLIENT, SECRET = "captions", "shared: secret/1"


@dataclass
class FakeProvider:
    """Answers for one user. Each field changes one answer."""

    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "ada-1"})
    userinfo: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    token: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    down: bool = False
    hangs: bool = False
    code_lifetime: float = 60.0
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rotate()
        self._codes: dict[str, dict[str, str]] = {}
        self.client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def rotate(self) -> None:
        """Sign with another key from now on."""
        self.key = RSAKey.generate_key(2048, {"kid": f"key-{time.perf_counter_ns()}", "use": "sig"})

    def log_in(self, url: str) -> dict[str, str]:
        """What a browser brings back after the user has agreed at ``url``."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        return {"code": code, "state": asked["state"]}

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/realm")
        self.requests.append(path)
        if self.hangs:
            await asyncio.sleep(3600)
        if self.down:
            raise httpx.ConnectError("nobody is there", request=request)
        if path == "/.well-known/openid-configuration":
            return httpx.Response(200, json=self._metadata())
        if path == "/keys":
            return httpx.Response(200, json=KeySet([self.key]).as_dict(private=False))
        if path == "/userinfo":
            assert request.headers["authorization"] == "Bearer access-1"
            return httpx.Response(200, json={"sub": self.claims["sub"], **self.userinfo})
        assert path == "/token"
        return self._redeem(request)

    def _metadata(self) -> dict[str, Any]:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        found = {name: f"{ISSUER}/{path}" for name, path in names.items()} | {"issuer": ISSUER}
        if self.userinfo:
            found["userinfo_endpoint"] = f"{ISSUER}/userinfo"
        return {name: value for name, value in (found | self.metadata).items() if value is not None}

    def _redeem(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        asked = self._codes.pop(form.get("code", ""), None)  # a code is good once
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if self._client_of(request, form) != (CLIENT, SECRET):
            return httpx.Response(401, json={"error": "invalid_client"})
        if (
            asked is None
            or self.code_lifetime <= 0
            or form["redirect_uri"] != asked["redirect_uri"]
            or challenge.decode() != asked["code_challenge"]
        ):
            return httpx.Response(400, json={"error": "invalid_grant", "error_description": "secret words"})
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
        } | self.claims
        given = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.algorithm, "kid": self.key.kid}
        tokens = {"access_token": "access-1", "token_type": "Bearer", "id_token": jwt.encode(header, given, self.key)}
        return httpx.Response(200, json=tokens | self.token)

    def _client_of(self, request: httpx.Request, form: dict[str, str]) -> tuple[str, str]:
        if "authorization" not in request.headers:
            return form["client_id"], form["client_secret"]
        name, _, secret = base64.b64decode(request.headers["authorization"].split()[1]).decode().partition(":")
        return unquote(name), unquote(secret)


def forged(token: dict[str, Any], header: dict[str, Any]) -> str:
    """A token without a signature."""
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, token))
    return ".".join((*encoded, ""))
