"""Names of uploaded files: labels for people, not paths."""

import re
import unicodedata
from urllib.parse import quote

from hybridvit.colorize.inputs import SUFFIXES

LONGEST = 120  # characters
UNNAMED = "photo"

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\ud800-\udfff\u202a-\u202e\u2066-\u2069]')


def label_of(name: str) -> str:
    """A name as it may be shown, and given to a downloaded file: one line, no folders, not hidden, its suffix kept."""
    name = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    name = " ".join(_FORBIDDEN.sub("_", name).split()).strip(". ")
    stem, dot, suffix = name.rpartition(".")
    if not dot:
        return name[:LONGEST] or UNNAMED
    suffix = suffix[:16]
    return f"{stem[: LONGEST - 1 - len(suffix)]}.{suffix}"


def known_suffix(label: str) -> str:
    """The suffix that a label has, if it is one of a picture's, else an empty text: one of a few texts of our own."""
    return next((suffix for suffix in SUFFIXES if label.lower().endswith(suffix)), "")


def attachment(name: str) -> dict[str, str]:
    """The header that makes a browser save an answer under this name (RFC 6266, RFC 8187)."""
    plain = re.sub(
        r'[^\x20-\x7e]|["\\%]', "_", unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    )
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    }
