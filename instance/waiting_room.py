"""What a server answers before there is a release: yes to the health check, 503 to everybody else.

Without it the load balancer would call the server unhealthy, and the group would replace it for ever. Runs on the
system's own Python, with nothing installed.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class WaitingRoom(BaseHTTPRequestHandler):
    """Answers every method the same way, and logs no request."""

    protocol_version = "HTTP/1.1"
    server_version = "waiting-room"
    sys_version = ""
    timeout = 30

    def answer(self) -> None:
        healthy = self.path.split("?")[0] == "/healthz"
        body = b"ok\n" if healthy else b"no release yet\n"
        self.send_response(200 if healthy else 503)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if not healthy:
            self.send_header("Retry-After", "60")
        # What a visitor sends is not read; the next request on this connection must not start in it.
        self.send_header("Connection", "close")
        self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815 - http.server names them

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - named so by http.server
        pass


if __name__ == "__main__":
    address = sys.argv[2] if len(sys.argv) > 2 else "0.0.0.0"  # noqa: S104 - the load balancer comes from outside
    ThreadingHTTPServer((address, int(sys.argv[1])), WaitingRoom).serve_forever()
