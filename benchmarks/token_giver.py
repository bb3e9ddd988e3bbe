"""The core's exchange of credentials for tokens, as far as what is measured needs it: whoever asks is given a token."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from shared_services.kit.tokens import SERVICE_TOKEN_SECONDS, TokenIssuer


@contextmanager
def giving_tokens(issuer: TokenIssuer) -> Iterator[str]:
    """Serve `POST /api/v1/tokens` on a free port; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            audience = json.loads(self.rfile.read(int(self.headers["content-length"])))["audience"]
            token = issuer.issue("service:measured", audience)
            body = json.dumps({"token": token, "expires_in": SERVICE_TOKEN_SECONDS}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Nothing: what is measured prints."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
