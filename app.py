"""Open the demo: `python app.py`, or `demo` for a host that serves it itself."""

import logging
import os
import tempfile
from pathlib import Path

# Set before Gradio is imported. Nothing about a visit leaves the machine; uploads and results lie in a folder of this
# process and go with it; and a proxy, as schools have them, is not asked for the page's own address.
_uploads = tempfile.TemporaryDirectory(prefix="segdemo-", ignore_cleanup_errors=True)
os.environ.setdefault("GRADIO_TEMP_DIR", str(Path(_uploads.name).resolve()))
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
# Gradio's monitoring page is off, so nobody needs the table of up to 10,000 events that it makes after each.
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(2**31))
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "1")
for name in ("no_proxy", "NO_PROXY"):
    os.environ[name] = ",".join(filter(None, (os.environ.get(name), "127.0.0.1", "localhost")))

from segdemo.ui.demo import build_demo, launch

demo = build_demo()

if __name__ == "__main__":
    # One line a request: networks, size of the photo, milliseconds, outcome.
    logging.basicConfig(format="%(asctime)s %(message)s")
    logging.getLogger("segdemo").setLevel(logging.INFO)
    launch(demo)
