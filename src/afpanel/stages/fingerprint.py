"""Whether a plan still fits its inputs: asked at the start of every run, so it must cost little."""

import hashlib
import json
from pathlib import Path

from afpanel import __version__

PLAN_VERSION = 7


def fingerprint(config_path: Path, inputs: list[str]) -> str:
    """Digest a configuration, and the sizes and times of change of its inputs."""
    stats: list[tuple[str, int | None, int | None]] = []
    for name in inputs:
        try:
            stat = Path(name).stat()
            stats.append((name, stat.st_size, stat.st_mtime_ns))
        except FileNotFoundError:
            stats.append((name, None, None))  # an index that may come
    content = (PLAN_VERSION, __version__, config_path.read_text("utf-8"), stats)
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def digest(lines: list[str]) -> str:
    """Digest what a table says, so that a job that depends on it is known to be stale by it."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def is_current(plan_path: Path, config_path: Path) -> bool:
    """Tell whether a plan was made from this configuration and from the inputs as they are now."""
    try:
        made = json.loads(plan_path.read_text("utf-8"))
        return bool(made["fingerprint"] == fingerprint(config_path, made["inputs"]))
    except (OSError, ValueError, KeyError, TypeError):
        return False  # no plan, or one that cannot be read: it is made again
