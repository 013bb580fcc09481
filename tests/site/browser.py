"""Show pages of the built documentation in a headless Chromium, one after the other, and say what is wrong with them.

A server on the loopback interface gives out the pages. It puts a script first in each, which records errors of the
console and files that did not load. A page of its own loads every page into a frame of the width asked for, looks at
it and posts what it found.
"""

import json
import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

RECORDER = """<script>
window.foundErrors = [];
window.addEventListener("error", event => window.foundErrors.push(
    event.target.src || event.target.href || event.message), true);
window.addEventListener("unhandledrejection", event => window.foundErrors.push(String(event.reason)));
console.error = (...words) => window.foundErrors.push(words.join(" "));
</script>"""

INSPECTOR = """<!doctype html><title>inspector</title><body style="margin:0"><script>
const wait = seconds => new Promise(done => setTimeout(done, 1000 * seconds));
const name = node => `${node.tagName} ${node.className} ${node.textContent.trim().slice(0, 40)}`;
// Beyond the right edge, and in nothing that can be scrolled.
function isCut(node) {
    const view = node.ownerDocument.documentElement, box = node.getBoundingClientRect();
    if (!box.width || box.right <= view.clientWidth + 1) return false;
    for (let around = node; around && around.tagName !== "MAIN"; around = around.parentElement) {
        const style = getComputedStyle(around);
        if (/auto|scroll/.test(style.overflowX) || style.visibility === "hidden") return false;
    }
    return true;
}
async function look(page, width, mode) {
    localStorage.setItem("mode", mode);
    localStorage.setItem("theme", mode);
    const frame = document.createElement("iframe");
    frame.style.cssText = `width:${width}px;height:900px;border:0`;
    const loaded = new Promise(done => { frame.onload = done; });
    frame.src = page;
    document.body.append(frame);
    await Promise.race([loaded, wait(60)]);
    const inside = frame.contentDocument;
    for (const image of inside.images) image.loading = "eager";
    if (frame.contentWindow.MathJax?.startup?.promise) await frame.contentWindow.MathJax.startup.promise;
    await wait(0.2);
    await Promise.all([...inside.images].map(image => image.decode().catch(() => null)));
    const found = {
        page, width, mode,
        title: inside.title,
        errors: frame.contentWindow.foundErrors ?? ["the page did not load"],
        missing: [...inside.images].filter(image => !image.naturalWidth).map(image => image.src),
        overflow: inside.documentElement.scrollWidth - inside.documentElement.clientWidth,
        cut: [...inside.querySelectorAll("main *")].filter(isCut).map(name),
    };
    frame.remove();
    return found;
}
async function find(words) {
    const frame = document.createElement("iframe");
    frame.style.cssText = "width:1280px;height:900px;border:0";
    frame.src = "/search.html?q=" + encodeURIComponent(words);
    document.body.append(frame);
    let links = [];
    for (let tries = 0; tries < 100 && !links.length; tries++) {
        await wait(0.1);
        links = [...frame.contentDocument?.querySelectorAll("ul.search > li > a") ?? []];
    }
    await wait(0.5);
    links = [...frame.contentDocument.querySelectorAll("ul.search > li > a")];
    const found = {words, pages: links.map(link => link.getAttribute("href"))};
    frame.remove();
    return found;
}
(async () => {
    const asked = await (await fetch("/asked.json")).json();
    const found = {pages: [], searches: []};
    for (const [page, width, mode] of asked.pages) found.pages.push(await look(page, width, mode));
    for (const words of asked.searches) found.searches.push(await find(words));
    await fetch("/found.json", {method: "POST", body: JSON.stringify(found)});
})().catch(error => fetch("/found.json", {method: "POST", body: JSON.stringify({failed: String(error.stack)})}));
</script>"""


def chromium():
    """The command of a Chromium, None without one."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next(filter(None, map(shutil.which, names)), None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A frame that was removed asks for no more: that is no error."""


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/inspector":
            self._send(INSPECTOR.encode(), "text/html")
        elif path == "/asked.json":
            self._send(json.dumps(self.server.asked).encode(), "application/json")
        elif path.endswith(".html") and (file := Path(self.translate_path(path))).is_file():
            text = file.read_text(encoding="utf-8")
            self._send(text.replace("<head>", "<head>" + RECORDER, 1).encode(), "text/html; charset=utf-8")
        else:
            super().do_GET()

    def do_POST(self):
        self.server.found = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._send(b"", "text/plain")
        self.server.done.set()

    def _send(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        """Say nothing."""


def inspect(site, profile, pages=(), searches=(), seconds=600):
    """Look at ``(page, width, mode)`` of a built site, and search it for words."""
    server = _Server(("127.0.0.1", 0), partial(_Handler, directory=str(site)))
    server.asked, server.found, server.done = (
        {"pages": list(pages), "searches": list(searches)},
        None,
        threading.Event(),
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}/inspector"
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    options += [f"--user-data-dir={profile}", "--window-size=1300,920"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    browser = subprocess.Popen([chromium(), *options, address], **quiet)
    try:
        if not server.done.wait(seconds):
            raise TimeoutError(f"Chromium said nothing for {seconds} seconds")
    finally:
        browser.terminate()
        browser.wait()
        server.shutdown()
        server.server_close()
    if "failed" in server.found:
        raise RuntimeError(server.found["failed"])
    return server.found
