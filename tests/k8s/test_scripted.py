"""The stand-in that the cluster tests run replaces parts of the product that exist."""

import subprocess
import sys

import pytest


@pytest.mark.server
def test_the_scripted_product_starts() -> None:
    subprocess.run([sys.executable, "-m", "tests.k8s_cluster.scripted", "check-config"], check=True, timeout=60)
