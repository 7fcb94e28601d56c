"""Semi-supervised, user-guided image colorization: `hybridvit.load("pretrained").colorize("photo.tif")`."""

from hybridvit import version

__version__ = version.VERSION


def __getattr__(name: str):
    # Lazily, so that importing a small part does not import JAX
    if name in ("load", "Colorizer"):
        from hybridvit.inference import colorizer

        return getattr(colorizer, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
