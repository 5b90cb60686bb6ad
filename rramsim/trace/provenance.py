"""Where a trace came from: enough to run it again."""

import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["provenance"]

_PACKAGES = ("rramsim", "numpy", "scipy", "numba", "h5py", "pydantic")


def provenance() -> dict[str, str]:
    """Time, host, and versions of everything that computes; the commit where the package runs from a checkout."""
    facts = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "machine": platform.machine(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }
    for package in _PACKAGES:
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            facts[package] = "not installed"
    return facts | {"commit": _commit()}


def _commit() -> str:
    """The commit of the checkout that the package runs from, or why there is none."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return "installed package"
    try:
        described = subprocess.run(  # noqa: S603
            ["git", "-C", str(root), "describe", "--always", "--dirty"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return described.stdout.strip() or "unknown"
