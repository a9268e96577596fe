"""A small site beside a sandbox of its own, to try the pages of brokers in a browser without the whole portal."""

from __future__ import annotations

import http.server
import threading

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

PAGE = """<!doctype html><html lang="en"><head><title>A shop</title><meta name="viewport" content="width=device-width">
</head><body><main><h1>A shop</h1><button>Buy</button><p role="status"></p></main>
<script src="{sandbox}/smallcase/scdk/2.0.0/scdk.js"></script><script src="/shop.js"></script></body></html>"""
SCRIPT = """
const said = document.querySelector('[role=status]');
document.querySelector('button').addEventListener('click', async () => {
  const given = new URLSearchParams(location.search);
  const gateway = new scDK({gateway: 'gatewaydemo', smallcaseAuthToken: given.get('token'), config: {amo: true}});
  const first = gateway.triggerTransaction({transactionId: given.get('id'), brokers: ['kite', 'groww']});
  const second = await gateway.triggerTransaction({transactionId: given.get('id')}).catch((error) => error.message);
  try {
    const done = await first;
    said.textContent = `${second}; ${done.success} ${done.broker} ${done.orderBatches[0].status}`;
  } catch (error) {
    said.textContent = `${second}; ${error instanceof Error} ${error.message} ${error.code}`;
  }
});
"""


class ShopPages(http.server.BaseHTTPRequestHandler):
    server: ShopSite

    def do_GET(self) -> None:
        is_script = self.path == "/shop.js"
        body = (SCRIPT if is_script else PAGE.format(sandbox=self.server.sandbox)).encode()
        policy = (
            f"default-src 'none'; script-src 'self' {self.server.sandbox}; frame-src {self.server.sandbox}; "
            "base-uri 'none'; form-action 'none'"
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if is_script else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


class ShopSite(http.server.ThreadingHTTPServer):
    """A page that allows the sandbox as a script and as a frame, and nothing else."""

    daemon_threads = True

    def __init__(self, sandbox: str) -> None:
        super().__init__(("127.0.0.1", 0), ShopPages)
        self.sandbox = sandbox
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()


def assert_readable(page: Page) -> None:
    """Nothing for axe to say about the page or the one in its frame, and no sideways scrolling."""
    inside = page.frames[-1]
    for seen in {page.main_frame, inside}:
        found = Axe().run(seen)
        assert found.violations_count == 0, found.generate_report()
    assert not inside.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
