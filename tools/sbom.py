"""Write what an installation contains, as a CycloneDX software bill of materials in JSON.

    python tools/sbom.py [--debian] PYTHON OUTPUT

``PYTHON`` is the interpreter of the environment that is described: its distributions, as cyclonedx-py reads them, and
the FFmpeg inside PyAV, which no metadata names. ``--debian`` adds this machine's Debian packages. The same installation
gives the same bytes. The image's build runs this file alone, with nothing of the project but the lock's group ``sbom``.
"""

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

VERSION = SchemaVersion.V1_6
PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"

Component = dict[str, Any]


def describe(python: Path, *, debian: bool) -> str:
    """The bill of materials of an environment, with this machine's Debian packages if they are wanted."""
    bill = json.loads(_cyclonedx("environment", "--pyproject", PROJECT, python))
    bill["components"] += _ffmpeg(python)
    if debian:
        bill["components"] += _debian()
    return json.dumps(bill, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def validate(text: str) -> None:
    """Raise ``ValueError`` if ``text`` is not what CycloneDX's schema allows."""
    if error := JsonStrictValidator(VERSION).validate_str(text):
        raise ValueError(f"the bill of materials is not valid CycloneDX: {error}")


def _cyclonedx(*arguments: str | Path) -> str:
    program = Path(sys.executable).with_name("cyclonedx-py")
    options = ["--output-reproducible", "--mc-type", "application", "--spec-version", VERSION.to_version()]
    command, *rest = arguments
    return _output(program, command, *options, "--no-validate", *rest)


def _ffmpeg(python: Path) -> Iterable[Component]:
    version = _output(python, "-c", "import av; print(av.ffmpeg_version_info)").strip()
    purl = PackageURL("generic", None, "ffmpeg", version)
    yield _component("library", "ffmpeg", version, purl, description="In PyAV's wheel: decodes what publishers send")


def _debian() -> Iterable[Component]:
    system = platform.freedesktop_os_release()
    distribution = f"{system['ID']}-{system['VERSION_ID']}"
    yield _component("operating-system", system["ID"], system["VERSION_ID"], None)
    listed = _output(
        "dpkg-query", "--show", "--showformat", r"${Package} ${Version} ${Architecture} ${db:Status-Status}\n"
    )
    for line in sorted(listed.splitlines()):
        name, version, architecture, status = line.split()
        if status != "installed":
            continue
        qualifiers = {"arch": architecture, "distro": distribution}
        yield _component("library", name, version, PackageURL("deb", system["ID"], name, version, qualifiers))


def _component(kind: str, name: str, version: str, purl: PackageURL | None, **more: str) -> Component:
    reference = purl.to_string() if purl else f"{name}@{version}"
    named = {"purl": reference} if purl else {}
    return {"bom-ref": reference, "type": kind, "name": name, "version": version, **named, **more}


def _output(*command: str | Path) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: {done.stderr}")
    return done.stdout


def main() -> None:
    """Write the file that the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--debian", action="store_true", help="add the Debian packages of this machine")
    parser.add_argument("python", type=Path, help="interpreter of the environment")
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    text = describe(arguments.python, debian=arguments.debian)
    validate(text)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(text)


if __name__ == "__main__":
    main()
