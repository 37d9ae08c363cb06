"""The command as a user runs it."""

import asyncio
import sys


async def livecaptions(*arguments: str, stdin: bytes | None = None, within: float = 30) -> tuple[int, str, str]:
    """The exit code, what was printed, and what was said to standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "livecaptions.cli", *arguments,
        stdin=asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(within):
            out, err = await process.communicate(stdin)
    except TimeoutError:
        process.kill()
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()
