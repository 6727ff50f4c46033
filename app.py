"""Open the demo: `python app.py`, with `--class` to a whole class, or `demo` for a host that serves it itself."""

import atexit
import logging
import os
import sys

_served = False


@atexit.register  # before anything else is, so that it runs last
def _leave() -> None:
    """End at once: of a pass that still runs Python would pull the threads away, and torch would abort."""
    if _served:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


from segdemo.ui.upload_folder import UploadFolder

# Set before Gradio is imported. Nothing about a visit leaves the machine; uploads and results lie in a folder of this
# process and go with it; and a proxy, as schools have them, is not asked for the page's own address.
uploads = UploadFolder(os.environ.get("GRADIO_TEMP_DIR"))
os.environ["GRADIO_TEMP_DIR"] = str(uploads.path)
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
for name in ("no_proxy", "NO_PROXY"):
    os.environ[name] = ",".join(filter(None, (os.environ.get(name), "127.0.0.1", "localhost")))

from segdemo.ui import classroom
from segdemo.ui.demo import build_demo, launch

if __name__ == "__main__":
    classroom.turn_on(sys.argv[1:])
try:
    demo = build_demo()
except ValueError as error:  # a damaged checkpoint, say
    sys.exit(f"The demo cannot start: {getattr(error, 'message', error)}")  # as text, Gradio's errors are quoted
uploads.start_clearing(demo.forget_files)

if __name__ == "__main__":
    # One line a request: networks, size of the photo, milliseconds, outcome.
    logging.basicConfig(format="%(asctime)s %(message)s")
    logging.getLogger("segdemo").setLevel(logging.INFO)
    if classroom.is_on():
        launch(demo, server_name=classroom.server_name(), prevent_thread_lock=True)
        classroom.announce(demo.server_port)
        demo.block_thread()
    else:
        launch(demo)
    _served = True
