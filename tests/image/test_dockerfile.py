"""What the Dockerfile says, held against the project; no container is needed."""

import re
import tomllib
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_package_of_the_project_is_copied() -> None:
    packages = [
        *PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"],
        *PROJECT["tool"]["uv"]["workspace"]["members"],
    ]
    assert sorted(re.findall(r"^COPY (\w+) \1$", DOCKERFILE, re.MULTILINE)) == sorted(packages)
    let_through = (ROOT / ".dockerignore").read_text().split()
    assert {f"!{package}" for package in packages} <= set(let_through)


def test_the_bill_of_materials_outside_the_image_is_of_the_same_packages() -> None:
    (recipe,) = re.findall(r"^sbom:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    installed = re.findall(r"uv sync((?: --(?:no-default-groups|extra \w+))+)", DOCKERFILE.replace("--locked ", ""))
    assert len(installed) == 2
    assert all(f"{options} " in recipe for options in installed)


def test_cuda_is_the_one_that_the_locked_engine_loads() -> None:
    package = find_spec("ctranslate2")
    assert package is not None
    assert package.origin is not None
    libraries = Path(package.origin).parent.with_name("ctranslate2.libs").glob("libctranslate2-*")
    loaded = {
        name
        for path in libraries
        for name in re.findall(rb"lib(?:cublas|cublasLt|cudnn\w*|curand|cufft)\.so\.\d+", path.read_bytes())
    }
    base = re.search(r"^ARG CUDA_BASE=docker.io/nvidia/cuda:(\d+)\.", DOCKERFILE, re.MULTILINE)
    assert base is not None
    assert loaded == {b"libcublas.so." + base[1].encode()}, "what it loads has to be what the image holds"


def test_the_version_is_the_project_s() -> None:
    assert f"ARG VERSION={PROJECT['project']['version']}\n" in DOCKERFILE
