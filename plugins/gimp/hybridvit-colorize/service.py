"""What the plug-in asks of `hybridvit serve`: with what every Python has, for GIMP's own has no hybridvit."""

import json
import urllib.error
import urllib.parse
import urllib.request

SECONDS = 600


class ServiceError(Exception):
    """One line for people."""


def color_photo(address: str, token: str, photo: bytes, layer: bytes | None, strength: float) -> bytes:
    """The photograph in colour, a PNG of its size and depth; `layer` is a PNG with the painted hints.

    Raises ServiceError where there is no service, or it refuses.
    """

    def ask(method: str, path: str, body: bytes | None = None) -> bytes:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            headers["Content-Type"] = "application/octet-stream"
        try:
            request = urllib.request.Request(f"{address.rstrip('/')}{path}", body, headers, method=method)
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise ServiceError(_said(error)) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise ServiceError(f"{address}: {reason}; start the service with: hybridvit serve") from None

    sidecar = json.loads(ask("POST", "/api/hints", layer)) if layer is not None else None
    name = urllib.parse.quote(json.loads(ask("POST", "/api/photos?name=gimp.png", photo))["id"])
    try:
        given = json.loads(ask("GET", f"/api/photos/{name}/sidecar"))
        given["hints"] = sidecar["hints"] if sidecar else []  # those of an earlier run are not wanted
        given["settings"] = {**given.get("settings", {}), "strength": strength}
        ask("PUT", f"/api/photos/{name}/sidecar", json.dumps(given).encode())
        return ask("GET", f"/api/photos/{name}/result?format=png")
    finally:
        ask("DELETE", f"/api/photos/{name}")


def _said(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["error"])
    except (ValueError, KeyError, TypeError):
        return f"the service answered with {error.code}"
