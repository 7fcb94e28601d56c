"""Photographs from addresses, as of a IIIF image server: from allowed places alone, and never from inside a network.

Whoever may send an address could else read, through the service, what only the service reaches: its cloud's metadata,
databases, other people's intranets. So an address must begin with an allowed one; the machine's name is looked up once,
all its addresses must be public (unless told otherwise), and the connection goes to the very one that was checked.
Redirects are not followed.
"""

import dataclasses
import http.client
import ipaddress
import pathlib
import re
import socket
import ssl
import time
from urllib.parse import SplitResult, urlsplit

from hybridvit.serve.limits import BATCH_BYTES, URL_SECONDS

IMAGE = "/full/max/0/default.jpg"  # of a IIIF image service: all of it, as it is
_TYPES = {"image/jpeg": ".jpg", "image/png": ".png", "image/tiff": ".tif", "image/webp": ".webp"}
_PIECE = 2**16


@dataclasses.dataclass(frozen=True)
class Allowed:
    """Beginnings of addresses, as "https://iiif.example.org/images/"; whether they may be in a private network."""

    beginnings: tuple[str, ...] = ()
    private: bool = False

    def check(self, url: str) -> SplitResult:
        """The parts of an address that may be asked. Raises ValueError, one line."""
        parts = _parts(url)
        for beginning in map(_parts, self.beginnings):
            same = parts.scheme, parts.hostname, _port(parts)
            folder = beginning.path.rstrip("/") + "/"
            allowed = beginning.scheme, beginning.hostname, _port(beginning)
            if same == allowed and parts.path.startswith(folder):
                return parts
        raise ValueError(f"{url[:200]}: this service does not fetch from there (--allow)")

    def locate(self, parts: SplitResult) -> str:
        """The IP address to connect to. Raises ValueError for one that is not public, OSError for an unknown name."""
        found = socket.getaddrinfo(parts.hostname, _port(parts), type=socket.SOCK_STREAM)
        addresses = [str(one[4][0]) for one in found]
        for address in addresses:
            ip = ipaddress.ip_address(address.partition("%")[0])
            ip = getattr(ip, "ipv4_mapped", None) or ip
            if not self.private and (not ip.is_global or ip.is_multicast):
                raise ValueError(f"{parts.hostname} is in a private network: not fetched")
        return addresses[0]


def fetch(
    url: str, allowed: Allowed, folder: pathlib.Path, number: int, left: int = BATCH_BYTES
) -> pathlib.Path:
    """The photograph at an address, below `folder`: 0001-NAME.jpg of number 1. Relative.

    An address that ends in info.json is an image service, and all of its image is meant. Raises ValueError, one line.
    """
    url = url.removesuffix("/info.json") + IMAGE if url.endswith("/info.json") else url
    parts = allowed.check(url)
    try:
        return _fetch(parts, allowed.locate(parts), folder, number, left)
    except (OSError, http.client.HTTPException) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{url[:200]}: {reason:.200}") from None
    except ValueError as error:
        raise ValueError(f"{url[:200]}: {error}") from None


def _fetch(parts: SplitResult, address: str, folder: pathlib.Path, number: int, left: int) -> pathlib.Path:
    host, end = parts.hostname or "", time.monotonic() + URL_SECONDS
    connection = http.client.HTTPConnection(host, _port(parts), timeout=URL_SECONDS)
    connection.sock = socket.create_connection((address, _port(parts)), timeout=URL_SECONDS)
    try:
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers={"Accept": "image/*", "User-Agent": "hybridvit"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise ValueError(f"answered with {answer.status} {answer.reason[:80]}")
        kind = answer.headers.get_content_type()
        if kind not in _TYPES:
            raise ValueError(f"answered with {kind[:80]}, which is no picture")
        words = [word for word in re.split(r"[^A-Za-z0-9]+", parts.path.removesuffix(IMAGE)) if word]
        path = pathlib.Path(f"{number:04}-{'-'.join(words)[-60:] or 'image'}{_TYPES[kind]}")
        with (folder / path).open("xb") as file:
            while piece := answer.read(_PIECE):
                left -= len(piece)
                if left < 0 or time.monotonic() > end:
                    raise ValueError("is too large" if left < 0 else f"took longer than {URL_SECONDS:.0f} s")
                file.write(piece)
        return path
    finally:
        connection.close()


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        plain = (
            url.isascii()
            and url.isprintable()
            and not re.search(r"[\s\\]|/\.\.?(/|$)|%2e|%2f|%5c", url, re.I)
        )
        if (
            parts.scheme in ("http", "https")
            and parts.hostname
            and _port(parts)
            and plain
            and "@" not in parts.netloc
        ):
            return parts
    except ValueError:
        pass
    raise ValueError(f"{url[:200]}: not a plain http or https address")


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)
