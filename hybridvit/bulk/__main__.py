"""`python -m hybridvit.bulk`: see command."""

from hybridvit.bulk.command import run

if __name__ == "__main__":  # worker processes import what the first process ran
    run()
