"""`python -m hybridvit.export`: see command."""

from hybridvit.export.command import main

main()
