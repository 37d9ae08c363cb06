"""CPU of a token check, by kind of token: ``python -m bench.token_checks``.

First is the check of a token that the server has not seen, steady is every further one. SHA-256 of 1 MiB is printed
beside, because machines differ.
"""

import asyncio
import hashlib
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from auth.api_keys import ApiKeys
from auth.authenticator import TokenAuthenticator
from auth.jwt_tokens import JwtSettings, JwtTokens
from auth.keys_file import KeysFile
from auth.room_tokens import RoomTokens
from captions.access import Principal, Right
from livecaptions.clock import SystemClock

SECRET = "s" * 32
KEYS, FIRST, STEADY = 100, 300, 20_000


async def main() -> None:
    """Print a line for each kind."""
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        file = KeysFile(Path(folder) / "keys.json")
        made = [file.create(1, rooms=("hall-*",), rights=frozenset({Right.VIEW})) for _ in range(KEYS)]
        rsa = RSAKey.generate_key(2048, {"kid": "1"})
        jwks = Path(folder) / "jwks.json"
        jwks.write_text(json.dumps({"keys": [rsa.as_dict(private=False)]}))
        keys = ApiKeys(file.path, clock)
        rooms = RoomTokens(lambda: keys.signing_secret, clock)
        verifier = JwtTokens(JwtSettings(secret=SECRET, jwks=str(jwks)), clock)
        authenticator = TokenAuthenticator(clock, keys=keys, rooms=rooms, jwt=verifier)
        principal: Principal = made[-1][0].principal()

        def claims(number: int) -> dict[str, object]:
            return {"sub": str(number), "rooms": ["hall-*"], "rights": ["view"], "exp": int(clock.wall()) + 3600}

        kinds: dict[str, Callable[[int], str]] = {
            f"API key, one of {KEYS}": lambda _: made[-1][1],
            "room token": lambda _: rooms.sign(principal, 3600).token,
            "JWT, HS256": lambda number: jwt.encode({"alg": "HS256"}, claims(number), OctKey.import_key(SECRET)),
            "JWT, RS256": lambda number: jwt.encode({"alg": "RS256", "kid": "1"}, claims(number), rsa),
        }
        print(f"{'kind':24}{'first, µs':>12}{'steady, µs':>12}")
        for kind, make in kinds.items():
            tokens = [make(number) for number in range(FIRST)]
            first = await _cpu(authenticator.authenticate, tokens)
            steady = await _cpu(authenticator.authenticate, [tokens[-1]] * STEADY)
            print(f"{kind:24}{first:12.1f}{steady:12.1f}")
    block = bytes(2**20)
    began = time.process_time()
    for _ in range(50):
        hashlib.sha256(block)
    print(f"{'SHA-256 of 1 MiB':24}{(time.process_time() - began) / 50 * 1e6:12.1f}")


async def _cpu(check: Callable[[str], Awaitable[object]], tokens: list[str]) -> float:
    """Microseconds of this process for one check."""
    began = time.process_time()
    for token in tokens:
        await check(token)
    return (time.process_time() - began) / len(tokens) * 1e6


if __name__ == "__main__":
    asyncio.run(main())
