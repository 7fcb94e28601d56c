"""`python -m hybridvit.studio`: see command."""

from hybridvit.studio.command import run

run()
