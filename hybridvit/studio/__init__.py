"""Colour photographs in the browser: `python -m hybridvit.studio`, or in a notebook `hybridvit.studio.show()`."""


def __getattr__(name: str):
    # Lazily, so that importing a small part does not import JAX
    if name == "show":
        from hybridvit.studio.notebook import show

        return show
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
