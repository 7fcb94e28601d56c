"""`python -m hybridvit.film`: see `command`."""

from hybridvit.film.command import run

if __name__ == "__main__":
    run()
