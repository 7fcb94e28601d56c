"""`python -m hybridvit.adapt`: see `command`."""

from hybridvit.adapt.command import run

if __name__ == "__main__":
    run()
