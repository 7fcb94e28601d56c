"""A model hub's interface as huggingface_hub uses it: HEAD and GET of /OWNER/NAME/resolve/REVISION/FILE."""

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMITS = {"main": "a" * 40, "v1": "b" * 40}


class Hub(ThreadingHTTPServer):
    """`files[repository, commit, name]` are its files; `asked` the requests that came."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[tuple[str, str, str], bytes] = {}
        self.asked: list[str] = []
        self.answers_with: str | None = None  # a commit, whatever was asked for
        self.gated = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        if "/resolve/" not in self.path:
            return self._refuse(404, "")
        owner, name, _, revision, file = self.path.strip("/").split("/", 4)
        repository, commit = f"{owner}/{name}", COMMITS.get(revision, revision)
        known = {key[:2] for key in self.server.files}
        if self.server.gated:
            return self._refuse(403, "GatedRepo")
        if repository not in {one for one, _ in known}:
            return self._refuse(404, "RepoNotFound")
        if (repository, commit) not in known:
            return self._refuse(404, "RevisionNotFound")
        data = self.server.files.get((repository, commit, file))
        if data is None:
            return self._refuse(404, "EntryNotFound", commit)
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", self.server.answers_with or commit)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)

    def _refuse(self, status: int, code: str, commit: str = "") -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        if commit:
            self.send_header("X-Repo-Commit", commit)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def serving() -> Iterator[Hub]:
    """A hub on the loopback address, without files."""
    with Hub() as hub:
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()
