"""What a file says of how it came about, and whether that holds: facts for programs, and words for people.

A result says it in its XMP, which anybody may change; signed credentials (C2PA) say the same so that a change shows.
Where both are there and the credentials hold, theirs is what counts.
"""

import contextlib
import hashlib
import importlib.util
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hybridvit.hints.frame import told as told_of_frame
from hybridvit.photo.photo import read_provenance
from hybridvit.photo.record import SOURCE
from hybridvit.provenance.claim import given_hints

Account = dict[str, Any]
SIGNATURES = {
    "none": "none; what is said above, anybody may have written",
    "not looked at": "not looked at: that needs c2pa-python (pip install 'hybridvit[c2pa]')",
    "valid": "valid",
    "invalid": "not valid",
}


def account_of(
    path: str | os.PathLike,
    original: str | os.PathLike | None = None,
    anchors: str | None = None,
    packet: Mapping[str, str] | None = None,
) -> Account:
    """The account of a file, as JSON can hold it.

    Args:
      path: the file.
      original: the photograph that it is said to be made of, or a folder that holds it by the name it had.
      anchors: certificates in PEM; a signature has to lead to one of them.
      packet: what it says of itself in another place than XMP, if that is known.

    Returns:
      `known`: whether anything is known; `ours`: whether it is a result of hybridvit; `said`: what it was made with;
      `original`, `evidence`, `signature` and `changed` ("no", "metadata", "pixels" or "unknown"), and `trouble`: what
      does not hold, a line each.

    Raises:
      OSError: it cannot be opened.
      ValueError: the anchors are none.
    """
    path = Path(path)
    with path.open("rb"):  # a file that is not there is no file of which nothing is known
        pass
    trouble: list[str] = []
    credentials, signature = _signature(path, anchors, trouble)
    try:
        packet = _parsed((read_provenance(path) if packet is None else packet) or {})
    except ValueError:
        packet = {}
    claimed = _parsed(credentials.own) if credentials is not None and credentials.own else None
    holds = claimed is not None and (credentials.intact or credentials.changed)
    said = dict(claimed if holds else packet)
    changed = _changed(path, credentials, claimed if holds else None)
    if changed not in ("no", "unknown"):
        trouble.append(
            f"its {'pixels were' if changed == 'pixels' else 'metadata was'} changed after it was signed"
        )
    if holds and packet and packet.get(SOURCE) != said.get(SOURCE):
        trouble.append("its XMP names another original than its signature")
    if said.pop("test_key", None) and signature["state"] == "valid":
        signature["test_key"] = True
    found = _original(said, original, trouble)
    ours = SOURCE in said or "statement" in said or "software" in said
    return {
        "file": os.fspath(path),
        "known": ours or credentials is not None,
        "ours": ours,
        "said_by": ("signature" if holds else "XMP") if ours else None,
        "said": {
            name: value for name, value in said.items() if name not in ("hints", "protected", "palette")
        },
        "original": found,
        "evidence": _evidence(said) if ours else None,
        "signature": signature,
        "changed": changed,
        "trouble": trouble,
    }


def _signature(path: Path, anchors: str | None, trouble: list[str]) -> tuple[Any, dict[str, Any]]:
    if importlib.util.find_spec("c2pa") is None:
        return None, {"state": "not looked at"}
    from hybridvit.provenance.credentials import read_credentials

    found = read_credentials(path, anchors)
    if found is None:
        if anchors is not None:
            trouble.append("it is not signed")
        return None, {"state": "none"}
    state = "valid" if found.intact else "invalid"
    if not found.intact and not found.changed:
        trouble.append(f"its signature does not hold ({', '.join(found.problems)})")
    if found.trusted is False:
        trouble.append("who signed it is none of those who are trusted")
    names = ("by", "time", "trusted", "generator", "actions", "ingredients", "problems")
    told = {name: getattr(found, name) for name in names}
    return found, {"state": state} | {k: list(v) if isinstance(v, tuple) else v for k, v in told.items()}


def _changed(path: Path, credentials: Any, claimed: Mapping[str, Any] | None) -> str:
    if credentials is None:
        return "unknown"
    if credentials.intact:
        return "no"
    if not credentials.changed or claimed is None or "pixels_sha256" not in claimed:
        return "unknown"
    from hybridvit.provenance.credentials import digest_of_pixels

    try:
        return "metadata" if digest_of_pixels(path) == claimed["pixels_sha256"] else "pixels"
    except (ValueError, OSError):  # what cannot be read any more
        return "pixels"


def _original(
    said: Mapping[str, Any], given: str | os.PathLike | None, trouble: list[str]
) -> dict[str, Any] | None:
    if SOURCE not in said:
        if given is not None:
            trouble.append("it does not say which original it is made of, so that none can be compared")
        return None
    found = {"name": said.get("source"), "sha256": said[SOURCE], "given": None, "same": None}
    if given is None:
        return found
    place = Path(given)
    place = place / str(said.get("source")) if place.is_dir() else place
    found["given"] = os.fspath(place)
    try:
        with place.open("rb") as file:
            found["same"] = hashlib.file_digest(file, "sha256").hexdigest() == said[SOURCE]
    except OSError as error:
        trouble.append(f"the original {place} cannot be compared ({error.strerror})")
        return found
    if not found["same"]:
        trouble.append(f"{place} is not the original that it is made of, or was changed since")
    return found


def _evidence(said: Mapping[str, Any]) -> dict[str, Any]:
    """What of the colours a person said: of `hints` None where the file has no room for them."""
    hints, palette = said.get("hints", []), said.get("palette", [])
    known = isinstance(hints, list)
    return {
        "hints": given_hints(said) if known else None,
        "palette": palette if isinstance(palette, list) else [],
    }


def _parsed(said: Mapping[str, Any]) -> dict[str, Any]:
    """Texts as they were, the rest as the JSON that it is."""
    parsed = dict(said)
    for name in {"hints", "palette", "protected", "settings", "inside_borders", "frame"} & said.keys():
        with contextlib.suppress(ValueError, TypeError):
            parsed[name] = json.loads(said[name])
    return parsed


def told(account: Account) -> list[str]:
    """An account in lines for people."""
    lines = [account["file"]]
    signature = account["signature"]
    if not account["known"]:
        lines.append("  nothing is known: it does not say how it came about")
        if signature["state"] == "not looked at":
            lines.append(f"  signature: {SIGNATURES['not looked at']}")
        return lines + [f"  NOT AS IT SHOULD BE: {one}" for one in account["trouble"]]
    if account["ours"]:
        lines += [f"  {line}" for line in _told_of_result(account)]
    else:
        made = f" by {signature['generator']}" if signature["generator"] else ""
        lines.append(f"  no result of hybridvit; its credentials are made{made}")
        if signature["actions"]:
            lines.append(f"  done: {', '.join(signature['actions'])}")
        if signature["ingredients"]:
            lines.append(f"  made of: {', '.join(signature['ingredients'])}")
    lines.append(f"  signature: {_told_of_signature(signature)}")
    lines.append(f"  changed since: {_told_of_change(account['changed'], signature['state'])}")
    return lines + [f"  NOT AS IT SHOULD BE: {one}" for one in account["trouble"]]


def _told_of_result(account: Account) -> list[str]:
    said, evidence = account["said"], account["evidence"]
    if "model" in said:
        by = f"the weights {said['model']} (SHA-256 {str(said.get('weights_sha256'))[:16]}...)"
    else:
        by = f"the method {said['method']}" if "method" in said else "something that it does not name"
    lines = [f"coloured by {said.get('software', 'hybridvit')} with {by}"]
    if "shows" in said:
        lines = [f"no picture but a map of {said['shows']}; {lines[0]}"]
    original = account["original"]
    if original is None:
        lines.append("original: not named")
    else:
        same = {True: f"; {original['given']} is it", False: f"; {original['given']} is NOT it", None: ""}
        digest = f"SHA-256 {original['sha256'][:16]}..."
        lines.append(f"original: {original['name'] or 'without a name'} ({digest}){same[original['same']]}")
    if "shows" in said:
        return lines
    hints = evidence["hints"]
    if hints is None:
        lines.append(
            "evidence: colours that a person gave; they are too long for this file, which has their digest"
        )
    elif hints:
        lines.append(
            f"evidence: {len(hints)} {'colour' if len(hints) == 1 else 'colours'} that a person gave"
        )
        lines += [f"  {_told_of_hint(hint)}" for hint in hints]
    else:
        lines.append("evidence: none; no colour was given by a person")
    if evidence["palette"]:
        colors = ", ".join(_color(one.get("color")) for one in evidence["palette"] if isinstance(one, dict))
        lines.append(f"palette: {colors}; where each is, is a guess")
    lines.append(f"guesses: {'every other colour' if hints or hints is None else 'every colour'}")
    if isinstance(said.get("frame"), dict):
        lines.append(f"frame: {told_of_frame(said['frame'])}; places are those of the whole original")
    lines.append("lightness: the original's")
    return lines


def _told_of_hint(hint: Mapping[str, Any]) -> str:
    kind = hint.get("type")
    if kind == "point":
        where = f"at {hint.get('x'):g}, {hint.get('y'):g}"
    elif kind == "stroke":
        x, y = hint["points"][0]
        where = f"along a stroke from {x:g}, {y:g}"
    else:
        where = "in a region"
        if hint.get("polygon"):
            where += f" from {hint['polygon'][0][0]:g}, {hint['polygon'][0][1]:g}"
    source = f'by "{hint["source"]}"' if hint.get("source") else "without a source"
    return f"{_color(hint.get('color'))} {where}, {source}"


def _color(color: Any) -> str:
    return color if isinstance(color, str) else "ab ({:g}, {:g})".format(*color)


def _told_of_signature(signature: Mapping[str, Any]) -> str:
    state = SIGNATURES[signature["state"]]
    if signature["state"] in ("none", "not looked at"):
        return state
    by = f", by {', '.join(signature['by'])}" if signature["by"] else ""
    time = f", at {signature['time']}" if signature["time"] else ""
    if signature.get("test_key"):
        return f"{state}{by}{time}; a TEST KEY, which proves nothing"
    trust = {
        True: "; who that is, is vouched for by those you trust",
        False: "; who that is, is NOT vouched for by those you trust",
        None: "; who that is was not checked (--trust)",
    }
    return f"{state}{by}{time}{trust[signature['trusted']]}"


def _told_of_change(changed: str, state: str) -> str:
    if changed == "unknown":
        return "cannot be told" + ("; it is not signed" if state == "none" else "")
    return {"no": "no", "metadata": "its metadata, not its pixels", "pixels": "YES, its pixels"}[changed]
