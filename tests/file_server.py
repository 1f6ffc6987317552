"""A file server on this machine that can break off, lie or be gone, for the tests of downloads."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = bytes(range(256)) * 2000  # 512,000 bytes: several chunks


class Origin(ThreadingHTTPServer):
    """A file server with Range. cuts: bytes after which each of the next answers breaks off; sent:
    (first, bytes)."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.content, self.cuts, self.ranges, self.sent = {"/a.bin": CONTENT}, [], True, []

    def url(self, name):
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        content = self.server.content.get(self.path)
        if content is None:
            return self.send_error(404)
        asked = self.headers.get("Range") if self.server.ranges else None
        first = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if first >= len(content):
            return self.send_error(416)
        body = content[first:]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        body = body[: self.server.cuts.pop(0) if self.server.cuts else None]
        self.server.sent.append((first, len(body)))  # first: the client may be gone after the bytes
        self.wfile.write(body)
        return None

    def log_message(self, *_):
        pass
