"""What make audit says of a lock without asking anybody."""

from pathlib import Path

import pytest

from tools.audit import lock

GOOD = """
[[package]]
name = "good"
version = "1.0"
source = { registry = "https://pypi.org/simple" }
sdist = { url = "https://files.pythonhosted.org/packages/aa/good-1.0.tar.gz", hash = "sha256:HASH" }
wheels = [{ url = "https://files.pythonhosted.org/packages/bb/good-1.0-py3-none-any.whl", hash = "sha256:HASH" }]

[[package]]
name = "ours"
version = "0.1"
source = { editable = "." }
""".replace("HASH", "0" * 64)


def read(tmp_path: Path, text: str) -> lock.Lock:
    path = tmp_path / "uv.lock"
    path.write_text(text)
    return lock.read(path)


def test_our_own_lock_has_no_flaw() -> None:
    ours = lock.read(Path(__file__).parents[2] / "uv.lock")
    assert ours.flaws == ()
    assert len(ours.packages) > 100
    assert all(package.files for package in ours.packages)


def test_a_good_lock(tmp_path: Path) -> None:
    read_back = read(tmp_path, GOOD)
    assert read_back.flaws == ()
    (package,) = read_back.packages
    assert str(package) == "good 1.0"
    assert set(package.files) == {"good-1.0.tar.gz", "good-1.0-py3-none-any.whl"}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("https://pypi.org/simple", "https://example.org/simple", "and not from https://pypi.org/simple"),
        ('{ registry = "https://pypi.org/simple" }', '{ git = "https://example.org/good" }', "comes from"),
        ("https://files.pythonhosted.org/packages/bb", "https://example.org", "is not at https://files"),
        (', hash = "sha256:' + "0" * 64 + '" }]', " }]", "has no SHA-256"),
        ("sha256:" + "0" * 64, "md5:" + "0" * 32, "has no SHA-256"),
        ("sdist = ", "other = ", ""),
    ],
)
def test_a_flaw_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    flaws = read(tmp_path, GOOD.replace(old, new)).flaws
    assert bool(flaws) is bool(says)
    assert all(flaw.startswith("good 1.0: ") for flaw in flaws)
    assert any(says in flaw for flaw in flaws) is bool(says)


def test_a_package_without_files(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD.replace("sdist", "a").replace("wheels", "b")).flaws == ("good 1.0: has no file",)
