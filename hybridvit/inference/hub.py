"""Weights on a model hub: hf://OWNER/NAME[@REVISION], by huggingface_hub: its cache, its token, its environment.

A repository, or a folder, holds model.safetensors as `weights.save_weights` writes it, and config.json with the digest.
"""

import hashlib
import json
import os
import pathlib
import re
from typing import NamedTuple

from hybridvit.extras import needing
from hybridvit.version import VERSION

PREFIX = "hf://"
WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"  # the Hub counts downloads by it

_ADDRESS = re.compile(r"hf://(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>[^@\s]+))?")
_COMMIT = re.compile("[0-9a-f]{40}")


class Address(NamedTuple):
    """A repository, OWNER/NAME, and its branch, tag or commit; None: the main branch."""

    repository: str
    revision: str | None


def is_on_hub(path: str | os.PathLike) -> bool:
    """Whether it is an address on a hub rather than a place on a disk."""
    return str(path).startswith(PREFIX)


def parse_address(text: str) -> Address:
    """What `hf://OWNER/NAME[@REVISION]` says. Raises ValueError, one line."""
    found = _ADDRESS.fullmatch(text)
    if not found:
        raise ValueError(f"{text}: an address on the hub is hf://OWNER/NAME or hf://OWNER/NAME@REVISION")
    return Address(found["repository"], found["revision"])


def fetch_weights(address: str) -> pathlib.Path:
    """The file of weights at `hf://OWNER/NAME[@REVISION]`, in the hub's cache; its digest is the one it should have.

    Both files are of one commit; where a commit is asked for (40 hexadecimal digits), of that one. Without a network,
    or with HF_HUB_OFFLINE=1, what the cache holds is used. Raises ValueError or OSError, one line that names the
    address; ModuleNotFoundError without `pip install 'hybridvit[hub]'`.
    """
    repository, revision = parse_address(address)
    config = _download(address, repository, CONFIG_FILE, revision)
    commit = config.parent.name  # .../snapshots/COMMIT/config.json
    if revision and _COMMIT.fullmatch(revision) and commit != revision:
        raise ValueError(f"{address}: the hub answered with another commit, {commit}")
    _download(address, repository, WEIGHTS_FILE, commit)
    return checked_file(config.parent, f"{address} (commit {commit})")


def pin(address: str) -> str:
    """The same address with the commit that it means now. Raises as `fetch_weights`."""
    commit = fetch_weights(address).parent.name
    return f"{PREFIX}{parse_address(address).repository}@{commit}"


def checked_file(folder: pathlib.Path, name: str | None = None) -> pathlib.Path:
    """The file of weights in such a folder, if its digest is that of config.json; `name` is said in errors.

    Raises ValueError or FileNotFoundError, one line.
    """
    name = name or str(folder)
    path = folder / WEIGHTS_FILE
    try:
        stated = json.loads((folder / CONFIG_FILE).read_bytes())["sha256"]
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{name} holds no {CONFIG_FILE}; name {path} itself to do without its digest"
        ) from None
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{name}: its {CONFIG_FILE} states no sha256: not written by hybridvit") from None
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != stated:
        raise ValueError(
            f"{name}: {WEIGHTS_FILE} is damaged, or was exchanged: its sha256 is {found}, {CONFIG_FILE} states "
            f"{stated!s:.64}; remove {path.resolve()} to fetch it anew"
        )
    return path


def _download(address: str, repository: str, file: str, revision: str | None) -> pathlib.Path:
    with needing("hub", f"{address} needs"):
        from huggingface_hub import constants, errors, hf_hub_download
    try:
        return pathlib.Path(
            hf_hub_download(
                repository, file, revision=revision, library_name="hybridvit", library_version=VERSION
            )
        )
    except errors.GatedRepoError:
        raise PermissionError(
            f"{address}: its owner lets in who has asked: ask on its page, then `hf auth login`"
        ) from None
    except errors.RepositoryNotFoundError:
        raise FileNotFoundError(
            f"{address}: no such repository, or a private one (`hf auth login`)"
        ) from None
    except errors.RevisionNotFoundError:
        raise FileNotFoundError(f"{address}: the repository has no revision {revision}") from None
    except errors.LocalEntryNotFoundError:  # of which also EntryNotFoundError is the name
        raise FileNotFoundError(
            f"{address}: {file} is not in the cache, and the hub cannot be reached"
            + (" (HF_HUB_OFFLINE is set)" if constants.is_offline_mode() else "")
        ) from None
    except errors.EntryNotFoundError:
        raise FileNotFoundError(f"{address} has no {file}: it holds no weights of hybridvit") from None
    except errors.HFValidationError as error:
        raise ValueError(f"{address}: {' '.join(str(error).split()):.160}") from None
    except errors.HTTPError as error:
        raise ConnectionError(f"{address}: {' '.join(str(error).split()):.160}") from None
