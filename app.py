"""Open the demo: `python app.py`, or `demo` for a host that serves it itself."""

import os

# Read by libraries as they are imported: nothing about a visit leaves the machine.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from segdemo.ui.demo import build_demo, launch

demo = build_demo()

if __name__ == "__main__":
    launch(demo)
