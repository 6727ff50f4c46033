"""Set everything up and open the demo (`python run.py`) or run its tests (`python run.py test`).

Needs nothing but Python: it makes a virtual environment in `.venv` and installs the requirements there, which takes
some minutes and 6 GB the first time. Anything behind the command is handed on to the app or to pytest.
"""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
OLDEST = (3, 10)


def main(arguments: list[str]) -> int:
    """Set up, then run the app or the tests; returns their exit code."""
    if sys.version_info < OLDEST:
        print(f"segdemo needs Python 3.10 or newer; this is {sys.version.split()[0]}.", file=sys.stderr)
        return 2
    testing = arguments[:1] == ["test"]
    try:
        set_up("requirements-dev.txt" if testing else "requirements.txt")
    except subprocess.CalledProcessError as error:
        print(f"Setting up failed in: {' '.join(map(str, error.cmd))}", file=sys.stderr)
        print("On Debian and Ubuntu, `apt install python3-venv` may be missing.", file=sys.stderr)
        return 1
    command = ["-m", "pytest", *arguments[1:]] if testing else ["app.py", *arguments]
    try:
        return subprocess.run([PYTHON, *command], cwd=ROOT, check=False).returncode
    except KeyboardInterrupt:
        return 130


def set_up(requirements: str) -> None:
    """Make the environment and install what a requirements file names, unless that was done before.

    Raises:
        subprocess.CalledProcessError: A step failed.
    """
    if not PYTHON.exists():
        print("Making a virtual environment in .venv", flush=True)
        venv.create(VENV, with_pip=True)
    content = b"".join((ROOT / name).read_bytes() for name in sorted({"requirements.txt", requirements}))
    digest, stamp = hashlib.sha256(content).hexdigest(), VENV / f"{requirements}.installed"
    if stamp.exists() and stamp.read_text() == digest:
        return
    print(f"Installing {requirements} (the first time: some minutes, 6 GB)", flush=True)
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", ROOT / requirements], check=True)
    stamp.write_text(digest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
