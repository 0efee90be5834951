"""A hub on loopback that takes models."""

from __future__ import annotations

import base64
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME = "lab/tiny"


class Hub(ThreadingHTTPServer):
    """Takes commits to one repository, of small files.

    Attributes:
        private: Whether the repository is; None while there is none.
        files: What it holds, by name.
        seen: The requests: method and path.
        refuses: Whether it forbids to write.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.private: bool | None = None
        self.files: dict[str, bytes] = {}
        self.seen: list[str] = []
        self.refuses = False
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.seen.append(f"GET {self.path}")
        if self.server.private is None:
            return self._send(404, {}, {"X-Error-Code": "RepoNotFound"})
        self._send(
            200, {"id": NAME, "private": self.server.private, "siblings": [], "sha": "a" * 40}
        )

    def do_POST(self) -> None:
        self.server.seen.append(f"POST {self.path}")
        body = self._read()
        if self.server.refuses:
            return self._send(403, {"error": "you may not write here"})
        url = f"{self.server.url}/{NAME}"
        if self.path == "/api/repos/create":
            if self.server.private is None:
                asked = json.loads(body)  # huggingface_hub 1 and 2 say it differently
                self.server.private = asked.get("private", asked.get("visibility") == "private")
            return self._send(200, {"url": url, "id": NAME})
        if "/preupload/" in self.path:
            names = [each["path"] for each in json.loads(body)["files"]]
            files = [{"path": n, "uploadMode": "regular", "shouldIgnore": False} for n in names]
            return self._send(200, {"files": files})
        if "/commit/" in self.path:
            for line in body.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    value = entry["value"]
                    self.server.files[value["path"]] = base64.b64decode(value["content"])
            commit = {"commitUrl": f"{url}/commit/{'b' * 40}", "commitOid": "b" * 40}
            return self._send(200, commit | {"success": True})
        self._send(200, {"errors": [], "warnings": []})  # of the card's head

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, status: int, content: dict, headers: dict | None = None) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
