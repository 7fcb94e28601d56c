"""The gate, by what browsers and strangers send; bodies by raw ASGI messages."""

import asyncio
import ipaddress
import json
import re
from html.parser import HTMLParser

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hybridvit.studio.body import limit_body
from hybridvit.studio.security import secure

HOME = ("localhost", "127.0.0.1", "::1")
TOKEN = "a-secret"


async def answer(request: Request) -> Response:
    return PlainTextResponse(f"{len(await request.body())} bytes", headers={"X-Frame-Options": "app's"})


ROUTES = [Route("/{path:path}", answer, methods=["GET", "PUT", "POST", "DELETE", "OPTIONS"])]


def ask(method: str = "GET", url: str = "http://127.0.0.1:8391/", *, hosts=HOME, token=None, **request):
    """The response of an application that says 200 to everything, behind the gate."""
    options = {"frame_ancestors": request.pop("frame_ancestors", ())}
    app = secure(Starlette(routes=ROUTES), hosts=hosts, token=token, max_body=1000, **options)

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(method, url, **request)

    return asyncio.run(send())


def said(response: httpx.Response) -> str:
    """The one line of an error."""
    assert response.headers["content-type"] == "application/json"
    (line,) = response.json().values()
    assert "\n" not in line
    return line


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8391", "127.0.0.1", "localhost:9", "LOCALHOST", "localhost.", "[::1]:8391", "[0:0::1]"],
)
def test_its_own_names(host):
    assert ask(headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *(
            "evil.example",
            "evil.example:8391",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.2",
        ),
        *(
            "evil.example@127.0.0.1",
            "127.0.0.1:8391:1",
            "[::2]",
            "[::1",
            "[localhost]",
            "",
            "*",
            "127.0.0.1/",
            "0.0.0.0",
        ),
    ],
)
def test_a_name_that_was_pointed_here_is_refused(host):
    response = ask(url="http://127.0.0.1:8391/api/photos", headers={"Host": host})
    assert response.status_code == 403
    assert "open it by the address it printed" in said(response)


@given(
    st.one_of(
        st.ip_addresses().map(str), st.from_regex(r"[a-z0-9-]{1,20}(\.[a-z0-9-]{1,9}){0,3}", fullmatch=True)
    )
)
def test_only_loopback_is_home(name):
    try:
        is_home = ipaddress.ip_address(name) in map(ipaddress.ip_address, ("127.0.0.1", "::1"))
    except ValueError:
        is_home = name == "localhost"
    host = f"[{name}]" if ":" in name else name
    assert ask(headers={"Host": host}).status_code == (200 if is_home else 403)


def test_any_name_and_names_below():
    assert ask(hosts=("*",), headers={"Host": "what.ever"}).status_code == 200
    below = {"hosts": ("*.example.org",)}
    assert ask(**below, headers={"Host": "a.b.example.org:80"}).status_code == 200
    assert ask(**below, headers={"Host": "example.org"}).status_code == 403
    assert ask(**below, headers={"Host": "badexample.org"}).status_code == 403


def test_one_host():
    assert ask(headers=[("Host", "127.0.0.1"), ("Host", "evil.example")]).status_code == 400


NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
HERE = "http://127.0.0.1:8391"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 200),  # a script
        ("PUT", "/api/x", {}, 200),
        ("GET", "/", {"Sec-Fetch-Site": "none", **NAVIGATION}, 200),  # typed
        ("GET", "/", {"Sec-Fetch-Site": "cross-site", **NAVIGATION}, 200),  # a link, or a notebook's frame
        ("POST", "/", {"Sec-Fetch-Site": "cross-site", **NAVIGATION}, 403),  # a form
        ("GET", "/api/photos", {"Sec-Fetch-Site": "cross-site", **NAVIGATION}, 403),
        ("GET", "/api/photos", {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, 200),
        ("PUT", "/api/x", {"Sec-Fetch-Site": "same-origin", "Origin": HERE}, 200),
        (
            "PUT",
            "/api/x",
            {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:3000"},
            403,
        ),  # another port
        ("GET", "/api/x", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, 403),  # its <img>
        ("GET", "/", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ("DELETE", "/api/x", {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403),
        ("OPTIONS", "/api/x", {"Origin": "https://evil.example"}, 403),
        # Browsers without Sec-Fetch-Site, or on plain http of another machine
        ("PUT", "/api/x", {"Origin": HERE}, 200),
        ("PUT", "/api/x", {"Origin": "http://127.0.0.1"}, 403),
        ("PUT", "/api/x", {"Origin": "null"}, 403),
        ("PUT", "/api/x", {"Origin": "http://[127.0.0.1:8391"}, 403),
        ("GET", "/api/x", {"Origin": "https://evil.example"}, 403),
    ],
)
def test_where_a_request_comes_from(method, path, headers, status):
    response = ask(method, HERE + path, headers=headers)
    assert response.status_code == status
    if status == 403:
        assert "another site" in said(response)


def test_a_proxy_that_changes_the_host():
    proxied = {
        "hosts": ("*", "*.colab.dev"),
        "headers": {"Sec-Fetch-Site": "cross-site", "Origin": "https://x.colab.dev"},
    }
    assert ask("PUT", **proxied).status_code == 200
    proxied["headers"]["Origin"] = "https://x.colab.dev.evil.example"
    assert ask("PUT", **proxied).status_code == 403


PRINTED = f"http://192.168.1.5:8391/?token={TOKEN}"
PAGE = {"Accept": "text/html,*/*"}
OUTSIDE = {"hosts": ("*",), "token": TOKEN}


def test_the_printed_address_sets_a_cookie_and_goes_to_the_clean_one():
    first = ask(url=PRINTED + "&photo=%C3%A9", **OUTSIDE, headers=PAGE)
    assert first.status_code == 303
    assert first.headers["location"] == "./?photo=%C3%A9"
    cookie, *attributes = first.headers["set-cookie"].split("; ")
    assert sorted(attributes) == ["HttpOnly", "SameSite=Strict"]
    assert (
        ask(url="http://192.168.1.5:8391/", **OUTSIDE, headers={"Cookie": f"a=b; {cookie}"}).status_code
        == 200
    )
    assert ask(url=PRINTED, **OUTSIDE).headers["location"] == "./"


def test_scripts_send_it_themselves():
    url = "http://192.168.1.5:8391/api/photos"
    assert ask("PUT", url, **OUTSIDE, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("/api/photos", {}),
        (f"/api/photos?token={TOKEN}", {}),
        ("/", {}),
        ("/?token=", {}),
        ("/?token=A-secret", {}),
        ("/", {"Authorization": "Bearer"}),
        ("/", {"Authorization": f"Basic {TOKEN}"}),
        ("/", {"Authorization": "Bearer a-secretx"}),
        ("/", {"Authorization": b"Bearer \xff"}),
        ("/", {"Cookie": "hybridvit-studio-1=a-secret"}),  # another port's
        ("/", {"Cookie": b"hybridvit-studio-8391=\xe9"}),
    ],
)
def test_without_the_token(url, headers):
    response = ask(url="http://192.168.1.5:8391" + url, **OUTSIDE, headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert "open the address that it printed" in said(response)
    assert TOKEN not in response.text
    assert "set-cookie" not in response.headers


def test_in_a_browser_a_page_asks_for_it():
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append((tag, dict(attributes)))
    response = ask(url="http://192.168.1.5:8391/", **OUTSIDE, headers=PAGE)
    assert response.status_code == 401
    parser.feed(response.text)
    tags = dict(found)
    assert tags["form"] == {"action": "./"}  # GET: to the address that sets the cookie
    assert tags["input"]["name"] == "token"
    assert not {"style", "script"} & tags.keys()
    assert not any("style" in attributes for _, attributes in found)


def test_what_a_stranger_sends_is_not_shown_as_html():
    response = ask(headers={"Host": "<script>alert(1)</script>", **PAGE})
    assert response.status_code == 403
    assert "<script" not in response.text
    assert "&lt;script" in response.text


def test_every_answer_has_the_headers():
    own = ask()
    for response in (
        own,
        ask(headers={"Host": "evil.example"}),
        ask(**OUTSIDE),
        ask("PUT", content=b"x" * 1001),
    ):
        policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in response.headers["content-security-policy"]
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["cross-origin-resource-policy"] == "same-origin"
        assert response.headers["cross-origin-opener-policy"] == "same-origin"
    assert own.headers["x-frame-options"] == "app's"  # what the application says stays
    framed = ask(frame_ancestors=("'self'", "https://a.example")).headers["content-security-policy"]
    assert framed.endswith("frame-ancestors 'self' https://a.example")


def test_no_websockets():
    sent = []

    async def send(message):
        sent.append(message)

    app = secure(Starlette(routes=ROUTES), hosts=HOME, token=None, max_body=1)
    asyncio.run(app({"type": "websocket", "headers": []}, None, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


def exchange(
    chunks, headers=(), max_body: int = 1000, delay: float = 0.0, **limits
) -> tuple[int, bytes, list[int]]:
    """Status and body of the answer to these chunks of a request's body, and what of them the application saw."""
    seen: list[int] = []
    sent: list[dict] = []

    async def app(scope, receive, send):
        async for chunk in Request(scope, receive).stream():
            seen.append(len(chunk))  # noqa: PERF401  also where it ends in an exception
        await PlainTextResponse("all")(scope, receive, send)

    messages = iter(chunks)

    async def receive():
        await asyncio.sleep(delay)
        body = next(messages, None)
        return {"type": "http.request", "body": body or b"", "more_body": body is not None}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "PUT", "path": "/", "headers": list(headers)}
    asyncio.run(limit_body(app, max_body, **limits)(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent), seen


def test_bodies_within_the_limit():
    status, body, seen = exchange([b"x" * 400, b"x" * 600])
    assert (status, body, sum(seen)) == (200, b"all", 1000)


def test_too_large_by_what_it_says_is_not_read():
    status, body, seen = exchange([b"x"], [(b"content-length", b"1001")], max_body=1000)
    assert (status, seen) == (413, [])
    assert "too large" in json.loads(body)["error"]


@pytest.mark.parametrize("length", [b"-1", b"1e9", b"", b"9" * 400])
def test_no_length_at_all(length):
    assert exchange([b"x"], [(b"content-length", length)])[0] == 413


def test_too_large_by_what_it_sends():
    status, body, seen = exchange([b"x" * 400] * 10**6)
    assert status == 413
    assert sum(seen) <= 1000
    assert re.fullmatch(r"the file is too large: at most \d+ MB are taken", json.loads(body)["error"])


def test_too_slow():
    status, body, seen = exchange([b"x"] * 500, delay=0.01, patience=0.05, rate=1000.0)
    assert status == 408
    assert len(seen) < 100
    assert "too long" in json.loads(body)["error"]


def test_slow_but_steady_is_waited_for():
    status, _, seen = exchange([b"x" * 100] * 10, delay=0.01, patience=0.05, rate=1000.0)
    assert (status, sum(seen)) == (200, 1000)


def test_a_bug_of_the_application_is_not_hidden():
    async def app(scope, receive, send):
        raise KeyError("bug")

    with pytest.raises(KeyError, match="bug"):
        asyncio.run(limit_body(app, 10)({"type": "http", "headers": []}, None, None))
