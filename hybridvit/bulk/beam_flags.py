"""Which words of a command line are Beam's."""

import argparse
from collections.abc import Sequence

from apache_beam.options.pipeline_options import PipelineOptions


def split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words that Beam's options do not take, and those that they do, each in order."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, conflict_handler="resolve")
    for options in _all(PipelineOptions):
        options._add_argparse_args(parser)  # as Beam documents it for options of one's own
    _, ours = parser.parse_known_args(list(argv))
    theirs, left = [], list(ours)
    for word in argv:
        if left and word == left[0]:
            left.pop(0)
        else:
            theirs.append(word)
    return ours, theirs


def _all(options: type) -> list[type]:
    """Its subclasses to any depth, which Beam's runners look at."""
    return [
        cls
        for sub in options.__subclasses__()
        for cls in (sub, *_all(sub))
        if "_add_argparse_args" in vars(cls)
    ]
