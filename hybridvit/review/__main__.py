"""`python -m hybridvit.review`: see `command`."""

from hybridvit.review.command import run

if __name__ == "__main__":
    run()
