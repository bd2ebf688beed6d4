"""afpanel: aggregate-only allele frequency panels from the genomes of many countries."""

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from afpanel.io.frequencies import Frequencies
    from afpanel.io.release_reader import Panel, open_panel

try:
    __version__ = version("afpanel")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"

__all__ = ["Frequencies", "Panel", "__version__", "open_panel"]


def __getattr__(name: str) -> Any:
    """Import what reads releases when it is first asked for; the command line does without."""
    if name in ("Frequencies", "Panel", "open_panel"):
        from afpanel.io import release_reader  # noqa: PLC0415

        return getattr(release_reader, name)
    raise AttributeError(f"module 'afpanel' has no attribute '{name}'")
