"""A partner's site on an origin of its own: one page with the one script tag of the Invest button."""

from __future__ import annotations

import http.server
import threading

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>An adviser</title>
<meta name="viewport" content="width=device-width"></head><body><main><h1>An adviser's page</h1>{tag}
<p>What we think of it.</p></main></body></html>"""


class PartnerPages(http.server.BaseHTTPRequestHandler):
    server: PartnerSite

    def do_GET(self) -> None:
        body = PAGE.format(tag=self.server.tag).encode()
        # As strict as such a site can be: our script, our frame, nothing else.
        policy = f"default-src 'none'; script-src {self.server.portal}; frame-src {self.server.portal}"
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


class PartnerSite(http.server.ThreadingHTTPServer):
    """Serves its one page on every path; `tag` is put in once it is known."""

    daemon_threads = True
    tag = ""

    def __init__(self, portal: str) -> None:
        super().__init__(("127.0.0.1", 0), PartnerPages)
        self.portal = portal
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
