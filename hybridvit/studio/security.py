"""Who may ask what of the studio: a pure ASGI middleware before everything else.

A server on a person's own machine is reached by every page that is open in its browser. So: the Host header must be one
of the studio's names (else a page that has pointed its own name at 127.0.0.1 would read along: DNS rebinding); what
changes something must come from the studio's page or from no page at all (CSRF; the rules are those of Filippo
Valsorda's "Cross-Site Request Forgery", 2025, as in Go's net/http.CrossOriginProtection), and what is read too; and
where others reach the port, a token is asked for. Cookies take no heed of ports, so the token's has it in its name.
"""

import html
import ipaddress
import json
import re
import secrets
from collections.abc import Collection, Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hybridvit.studio.body import limit_body

SAFE = ("GET", "HEAD")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors "
)
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>hybridvit studio</title></head>
<body><h1>hybridvit studio</h1><p>{message}</p>{form}</body></html>
"""
FORM = """<form action="./"><label>Token <input name="token" autocomplete="off" required autofocus></label>
<button>Open</button></form>"""


def secure(
    app: ASGIApp,
    *,
    hosts: Collection[str],
    token: str | None,
    max_body: int,
    frame_ancestors: Collection[str] = (),
) -> ASGIApp:
    """The application behind its gate.

    Args:
      app: any ASGI application; its own security headers are replaced.
      hosts: names under which the studio is asked for, without port: "localhost", "127.0.0.1", "::1"; "*.example.org"
        for all below (and pages from there are trusted as its own), "*" for any, which only a token makes safe.
      token: is asked for if not None: in `/?token=...` once, which sets a cookie, or as `Authorization: Bearer ...`.
      max_body: bytes of a request; more is answered with 413.
      frame_ancestors: CSP sources that may show the page in a frame.
    """
    hosts = {_canonical(host) for host in hosts}
    limited = limit_body(app, max_body)
    added = _headers(frame_ancestors)

    async def gate(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        if scope["type"] == "websocket":  # there are none; their handshake is not held back by CORS
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message.get("headers", ()) if pair[0].lower() not in added]
                message = {**message, "headers": [*kept, *added.items()]}
            await send(message)

        answer = _refuse_strangers(scope, hosts) or (token and _ask_for_token(scope, token))
        if answer:
            await _send(send_with_headers, *answer)
        else:
            await limited(scope, receive, send_with_headers)

    return gate


def _headers(frame_ancestors: Collection[str]) -> dict[bytes, bytes]:
    headers = {
        "content-security-policy": POLICY + (" ".join(frame_ancestors) or "'none'"),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
    }
    return {name.encode(): value.encode() for name, value in headers.items()}


Answer = tuple[int, Mapping[str, str], str]  # status, headers, body


def _refuse_strangers(scope: Scope, hosts: Collection[str]) -> Answer | None:
    """Host, then where the request comes from."""
    given = _values(scope, b"host")
    if len(given) != 1:
        return _error(scope, 400, "a request needs one Host header")
    host = given[0].lower()
    if not _known(_canonical(host), hosts):
        known = ", ".join(sorted(hosts))
        return _error(
            scope, 403, f"the studio is not at {host[:100]}: open it by the address it printed ({known})"
        )
    origin = next(iter(_values(scope, b"origin")), None)
    site = next(iter(_values(scope, b"sec-fetch-site")), None)
    if site in ("same-origin", "none") or (site is None and origin is None):
        return None
    if origin is not None:
        place = _place(origin)
        wide = {known for known in hosts if known.startswith("*.")}
        if (site is None and place == host) or _known(_canonical(place), wide):
            return None
    if scope["method"] in SAFE and scope["path"] == "/" and _values(scope, b"sec-fetch-mode") == ["navigate"]:
        return None  # a link to the studio, or its frame in a notebook
    return _error(scope, 403, "this comes from another site than the studio's page, and is refused")


def _ask_for_token(scope: Scope, token: str) -> Answer | None:
    name = f"hybridvit-studio-{(scope.get('server') or ('', 0))[1]}"
    query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    offered = [value for key, value in query if key == "token"] if scope["path"] == "/" else []
    if offered and scope["method"] in SAFE and _same(offered[0], token):
        rest = urlencode([(key, value) for key, value in query if key != "token"])
        # Without a path it is for the folder of this address, also behind a proxy that adds to it
        cookie = f"{name}={token}; HttpOnly; SameSite=Strict"
        return 303, {"location": "./" + ("?" + rest if rest else ""), "set-cookie": cookie}, ""
    for value in _values(scope, b"authorization"):
        scheme, _, credentials = value.partition(" ")
        if scheme.lower() == "bearer" and _same(credentials.strip(), token):
            return None
    for value in _values(scope, b"cookie"):
        pairs = (pair.strip().partition("=") for pair in value.split(";"))
        if any(key == name and _same(content, token) for key, _, content in pairs):
            return None
    message = "the token is wrong" if offered else "the studio asks for its token"
    return _error(scope, 401, f"{message}: open the address that it printed when it started", FORM)


def _error(scope: Scope, status: int, message: str, form: str = "") -> Answer:
    """For people who look at it in a browser a page, else JSON."""
    extra = {"www-authenticate": "Bearer"} if status == 401 else {}
    wants = "".join(_values(scope, b"accept"))
    if "text/html" in wants and not scope["path"].startswith("/api/"):
        page = PAGE.format(message=html.escape(message[0].upper() + message[1:] + "."), form=form)
        return status, {**extra, "content-type": "text/html; charset=utf-8"}, page
    return status, {**extra, "content-type": "application/json"}, json.dumps({"error": message})


async def _send(send: Send, status: int, headers: Mapping[str, str], body: str) -> None:
    coded = body.encode()
    # Closed, as what a stranger has still to say is not read
    every = {"cache-control": "no-store", "connection": "close", "content-length": str(len(coded)), **headers}
    pairs = [(name.encode(), value.encode("latin-1", "replace")) for name, value in every.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": coded})


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def _known(name: str, hosts: Collection[str]) -> bool:
    return "*" in hosts or any(
        name == host or (host.startswith("*.") and name.endswith(host[1:])) for host in hosts if name
    )


def _canonical(host: str) -> str:
    """A host without port, in one spelling; "" for what is none."""
    found = re.fullmatch(r"(?:\[([0-9a-f:.]+)\]|([^\[\]:/@\s]+))(?::\d{1,5})?", host.lower())
    name = (found[1] or found[2]).removesuffix(".") if found else host.lower()
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name if found and not found[1] else ""


def _place(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _same(offered: str, token: str) -> bool:
    return secrets.compare_digest(offered.encode("utf-8", "replace"), token.encode())
