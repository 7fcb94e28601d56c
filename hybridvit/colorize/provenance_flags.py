"""The flags of `hybridvit colorize` that say what its results tell of themselves to others."""

import argparse
import os
from pathlib import Path
from typing import Any

from hybridvit.extras import needing

TEST = "test"


def add_provenance_options(parser: argparse.ArgumentParser) -> None:
    """Adds --sign, --certificate, --premis, --images, --iiif and --originals."""
    add = parser.add_argument_group("what results say of themselves").add_argument
    add(
        "--sign",
        metavar="PEM",
        help="signs results as content credentials (C2PA): a private key in PEM; 'test' makes one that proves nothing",
    )
    add("--certificate", metavar="PEM", help="the key's certificate chain (in the key's own file)")
    add(
        "--premis",
        action="store_true",
        help="also photo.jpg.premis.xml beside each result: the event in PREMIS 3",
    )
    add(
        "--images",
        type=_folder,
        metavar="DIR",
        help="the pictures of a IIIF manifest among the inputs (its folder)",
    )
    add(
        "--iiif",
        type=_url,
        metavar="URL",
        help="also manifest.json (IIIF) in the output folder, which will be at URL",
    )
    add(
        "--originals",
        type=_url,
        metavar="URL",
        help="with --iiif: where the originals are, if no manifest says it",
    )


def check_provenance_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Ends in one line where they do not fit together."""
    if options.certificate and options.sign in (None, TEST):
        parser.error("--certificate is of the key that --sign names")
    if options.originals and not options.iiif:
        parser.error("--originals says where --iiif finds the originals: name both")


def signer_of(options: argparse.Namespace) -> Any:
    """The `credentials.Signer` asked for, or None. Raises OSError, ValueError or ModuleNotFoundError, one line."""
    if options.sign is None:
        return None
    with needing("c2pa", "--sign needs"):
        from hybridvit.provenance.credentials import Signer
        from hybridvit.provenance.keys import load_signing_key, make_test_key
    if options.sign == TEST:
        return Signer(make_test_key())
    certificate = options.certificate and os.path.expanduser(options.certificate)
    return Signer(load_signing_key(os.path.expanduser(options.sign), certificate))


def _folder(text: str) -> Path:
    folder = Path(os.path.expanduser(text))
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(f"{text}: no such folder")
    return folder


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{text!r} does not begin with http:// or https://")
    return text.rstrip("/")
