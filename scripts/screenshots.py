"""Take the README's pictures of the page: the server of this checkout, Chromium, a worked example.

Needs the extras web and browser, and makes small files where pngquant is installed (apt-get install pngquant).

python scripts/screenshots.py docs/
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURES = {
    "page-light.png": {"viewport": {"width": 1280, "height": 1000}},
    "page-dark.png": {"viewport": {"width": 1280, "height": 1000}, "color_scheme": "dark"},
    "page-narrow.png": {"viewport": {"width": 320, "height": 800}},
}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    server = subprocess.Popen([sys.executable, "-m", "classifier", "serve", "--port", "0"], stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        address = re.search(r"http://\S+", server.stderr.readline())
        if address is None:
            raise SystemExit("The server did not start.")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for name, options in PICTURES.items():
                page = browser.new_context(**options).new_page()
                page.goto(f"{address[0]}#sample")
                page.wait_for_selector("#level-heading")
                page.screenshot(path=folder / name)
                if shutil.which("pngquant"):  # a picture of text and few colours: a quarter of the bytes, and none of the letters lost
                    subprocess.run(["pngquant", "--force", "--ext", ".png", "16", str(folder / name)], check=True)
                print(folder / name)
            browser.close()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
