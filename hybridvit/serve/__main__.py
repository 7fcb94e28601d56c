"""`python -m hybridvit.serve`: see command."""

from hybridvit.serve.command import run

run()
