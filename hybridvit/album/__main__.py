"""`python -m hybridvit.album`: see command."""

from hybridvit.album.command import run

if __name__ == "__main__":
    run()
