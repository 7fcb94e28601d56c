"""`python -m hybridvit.colorize`: see command."""

from hybridvit.colorize.command import run

if __name__ == "__main__":  # worker processes import what the first process ran
    run()
