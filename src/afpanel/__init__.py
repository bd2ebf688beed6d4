"""afpanel: aggregate-only allele frequency panels from the genomes of many countries."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("afpanel")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"

__all__ = ["__version__"]
