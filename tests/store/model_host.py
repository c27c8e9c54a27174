# SPDX-License-Identifier: Apache-2.0
"""A host of model files on this machine, with the faults that hosts have.

The first part of a path says how it behaves:

    ok        ranges, an ETag
    cut       the same; the first two answers end after 1,000 bytes each
    dead      every answer ends before anything is sent
    plain     knows no ranges, and cuts its first answer
    changed   like cut, but each answer has another ETag, and so is whole
    nolength  no size; the connection's end is the end
    slow      in pieces with pauses
    wrong     other bytes of the same size
    huge      says that it has 2^59 bytes
    less      its second answer is a range that nobody asked for
    busy      503 twice, then ok
    refused   401 without the token "secret"
    401 404   that status
    away      redirects to `localhost`, where `ok` is
    near      redirects to a path on the same host
    out       redirects to http://example.invalid
    round     redirects to itself
Of a path that ends with .whl, the file is `wheel`, else `content`. Pages of a
package index are in `pages`, by path: their type and their text.
Any other path is one of Hugging Face: REPO/NAME/resolve/REVISION/FILE, which
redirects to `localhost` and says the file's SHA-256, if `linked` is set. Those
of `repositories` are whole: the hub's answer of what they have, too.
"""

import collections
import hashlib
import http.server
import json
import socket
import sys
import threading
import time

Request = collections.namedtuple("Request", "host path token range if_range")


class Repository:
    """Files of one commit, as Hugging Face has them."""

    def __init__(self, files, commit="c0" * 20, large=()):
        self.files = files
        self.commit = commit
        self.large = set(large)  # those in LFS
        self.gated = False
        self.token = ""          # that is needed for files
        self.status = 403        # without it
        self.answers = []        # (status, headers) of the next requests
        self.card = {"license": "apache-2.0"}

    def entry(self, name):
        content = self.files[name]
        blob = b"blob %d\0" % len(content) + content
        entry = {"rfilename": name, "size": len(content),
                 "blobId": hashlib.sha1(blob).hexdigest()}
        if name in self.large:
            entry["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(),
                            "size": len(content), "pointerSize": 134}
        return entry

    def answer(self):
        return {"sha": self.commit, "gated": self.gated, "cardData": self.card,
                "siblings": [self.entry(name) for name in self.files]}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server.owner
        token = self.headers.get("Authorization")
        server.requests.append(Request(
            self.headers["Host"].split(":")[0], self.path, token,
            self.headers.get("Range"), self.headers.get("If-Range")))
        kind = self.path.split("/")[1]
        server.counts[self.path] += 1
        count = server.counts[self.path]
        away = f"{server.scheme}://localhost:{server.port}/ok/file.gguf"
        if self.path in server.pages:
            self.answer_page(*server.pages[self.path])
        elif self.answer_of_hub(token):
            pass
        elif kind in ("401", "404"):
            self.answer_status(int(kind))
        elif kind == "refused" and token != "Bearer secret":
            self.answer_status(401)
        elif kind == "busy" and count <= 2:
            self.answer_status(503)
        elif kind == "away":
            self.redirect(away)
        elif kind == "near":
            self.redirect("/ok/file.gguf")
        elif kind == "out":
            self.redirect("http://example.invalid/file.gguf")
        elif kind == "round":
            self.redirect(self.path)
        elif "/resolve/" in self.path and server.status_of_hub:
            self.answer_status(server.status_of_hub)
        elif "/resolve/" in self.path:
            linked = {}
            if server.linked:
                digest = hashlib.sha256(server.content).hexdigest()
                linked = {"X-Linked-Etag": f'"{digest}"',
                          "X-Linked-Size": str(len(server.content))}
            self.redirect(away, linked)
        else:
            self.answer_file(kind, count)

    def answer_of_hub(self, token):
        """Whether it was of a repository."""
        owner = self.server.owner
        path = self.path.split("?")[0]
        is_question = path.startswith("/api/models/")
        parts = path.removeprefix("/api/models").split("/")
        if parts[1:2] == ["stored"]:
            self.answer_file("ok", owner.counts[self.path],
                             owner.stored[parts[2]])
            return True
        if len(parts) < 5 or "/".join(parts[1:3]) not in owner.repositories:
            if is_question:
                self.answer_status(404 if token else 401,
                                   {"X-Error-Code": "RepoNotFound"})
            return is_question
        repository = owner.repositories["/".join(parts[1:3])]
        if repository.answers:
            self.answer_status(*repository.answers.pop(0))
        elif is_question and parts[4] not in ("main", repository.commit):
            self.answer_status(404, {"X-Error-Code": "RevisionNotFound"})
        elif is_question:
            self.answer_page("application/json",
                             json.dumps(repository.answer()))
        elif repository.token and token != "Bearer " + repository.token:
            self.answer_status(repository.status,
                               {"X-Error-Code": "GatedRepo"})
        elif parts[4] != repository.commit or parts[5] not in repository.files:
            self.answer_status(404, {"X-Error-Code": "EntryNotFound"})
        else:
            self.redirect_to_stored(repository, parts[5])
        return True

    def redirect_to_stored(self, repository, name):
        owner = self.server.owner
        content = repository.files[name]
        digest = hashlib.sha256(content).hexdigest()
        owner.stored[digest] = content
        if name in repository.large:
            self.redirect(f"{owner.scheme}://localhost:{owner.port}"
                          f"/stored/{digest}?key=1",
                          {"X-Linked-Etag": f'"{digest}"',
                           "X-Linked-Size": str(len(content))})
        else:
            entry = repository.entry(name)
            self.redirect(f"/stored/{digest}",
                          {"X-Linked-Etag": f'"{entry["blobId"]}"'})

    def answer_status(self, status, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"no...")

    def answer_page(self, kind, text):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def redirect(self, target, headers=None):
        self.send_response(302)
        self.send_header("Location", target)
        self.send_header("Content-Length", "0")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def answer_file(self, kind, count, content=None):
        owner = self.server.owner
        if content is None:
            content = owner.wheel if self.path.endswith(".whl") else owner.content
        if kind == "wrong":
            content = content[:-1] + bytes([content[-1] ^ 1])
        etag = f'"{count}"' if kind == "changed" else '"one"'
        if "/stored/" in self.path:
            etag = f'"{hashlib.sha1(content).hexdigest()}"'
        start = 0
        asked = self.headers.get("Range")
        known = self.headers.get("If-Range") in (None, etag)
        if asked and known and kind != "plain":
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start > 0 and start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if kind == "less" and count == 2:
            start = 10
        part = content[start:]
        self.send_response(206 if start else 200)
        self.send_header("ETag", etag)
        if start:
            self.send_header(
                "Content-Range",
                f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.close_connection = True
        if kind == "huge":
            self.send_header("Content-Length", str(1 << 59))
        elif kind != "nolength":
            self.send_header("Content-Length", str(len(part)))
        self.send_header("Connection", "close")
        self.end_headers()
        if owner.cuts:
            part = part[:owner.cuts.pop(0)]
        cuts = {"cut": 2, "changed": 2, "plain": 1, "less": 1, "dead": 1 << 30}
        if count <= cuts.get(kind, 0):
            part = part[:0 if kind == "dead" else 1000]
        if kind == "slow" or owner.is_slow:
            for begin in range(0, len(part), 1 << 16):
                try:
                    self.wfile.write(part[begin:begin + (1 << 16)])
                    self.wfile.flush()
                except OSError:
                    return  # the other side has had enough
                time.sleep(0.02)
            return
        try:
            self.wfile.write(part)
        except OSError:
            pass  # the other side has had enough


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Says what is wrong, unless the other side has gone away."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class ModelHost:
    def __init__(self, content, ssl_context=None):
        self.content = content
        self.wheel = b""
        self.pages = {}
        self.repositories = {}
        self.stored = {}  # by SHA-256, at the other host
        self.cuts = []    # bytes of the next answers with files
        self.is_slow = False
        self.scheme = "https" if ssl_context else "http"
        self.linked = True
        self.status_of_hub = 0
        self.requests = []
        self.counts = collections.Counter()
        # IPv4 of `localhost` is the same machine.
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.owner = self
        if ssl_context:
            self.server.socket = ssl_context.wrap_socket(
                self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, kind):
        return f"http://127.0.0.1:{self.port}/{kind}/file.gguf"

    def forget(self):
        self.requests.clear()
        self.counts.clear()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Proxy:
    """Tunnels every CONNECT to one port of this machine, whatever was asked for."""

    def __init__(self, port, status=200):
        self.targets = []
        self.authorizations = []
        self.port_of_host = port
        self.status = status
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def close(self):
        self.server.close()

    def serve(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.tunnel, args=(client,), daemon=True).start()

    def tunnel(self, client):
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                part = client.recv(4096)
                if not part:
                    return
                head += part
            lines = head.decode().split("\r\n")
            self.targets.append(lines[0].split(" ")[1])
            self.authorizations += [
                line for line in lines if line.lower().startswith("proxy-auth")]
            client.sendall(f"HTTP/1.1 {self.status} said\r\n\r\n".encode())
            if self.status != 200:
                return
            with socket.create_connection(("127.0.0.1", self.port_of_host)) as host:
                back = threading.Thread(target=self.copy, args=(host, client))
                back.start()
                self.copy(client, host)
                back.join()

    @staticmethod
    def copy(source, sink):
        try:
            while part := source.recv(1 << 16):
                sink.sendall(part)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
