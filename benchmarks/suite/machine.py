"""The machine that a figure was taken on, and which of its cores belongs to whom."""

import os
import platform
import re
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    "agcod-async",
    "aiohttp",
    "aiolimiter",
    "anyio",
    "asynciolimiter",
    "botocore",
    "httptools",
    "httpcore",
    "httpx",
    "limits",
    "msgspec",
    "pydantic",
    "pyrate-limiter",
    "tenacity",
    "throttled-py",
    "uvloop",
)


def cores() -> list[int]:
    """Return the cores that this process may use; empty where the system does not tell."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def pin_client() -> None:
    """Keep this process, the one that is measured, on the first core."""
    if len(cores()) > 1:
        os.sched_setaffinity(0, {cores()[0]})


def pin_server() -> None:
    """Keep this process off the client's core."""
    if len(cores()) > 1:
        os.sched_setaffinity(0, set(cores()[1:]))


def a_disk() -> str:
    """Return a folder that is on a disk, where there is one: a file in memory is never synced."""
    return "/var/tmp" if Path("/var/tmp").is_dir() else tempfile.gettempdir()  # noqa: S108  what is made in it gets a name of its own


def load() -> float:
    """Return how many processes wanted a core during the last minute; 0 where it is not told."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else 0.0


def facts() -> dict[str, Any]:
    """Return what a reader must know of the machine to compare it with another one."""
    return {
        "cpu": _cpu(),
        "cores": len(cores()) or os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "optimised": sys.flags.optimize,
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
    }


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
