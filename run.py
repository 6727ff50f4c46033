"""Set everything up and open the demo (`python3 run.py`) or run its tests (`python3 run.py test`).

With `--class` the demo is served to the local network, and shows its address and a QR code of it. Anything behind
`test` is handed on to pytest. Needs nothing but Python: it makes a virtual environment in `.venv` and installs the
requirements there, which takes some minutes and a few gigabytes the first time.
"""

from __future__ import annotations  # so that an old Python gets as far as being told so

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
IN_TWO_PROCESSES = ("-n", "2", "--dist", "loadfile")  # of pytest-xdist; each test file stays in one


def main(arguments: list[str]) -> int:
    """Set up, then run the app or the tests; returns their exit code."""
    if sys.version_info < OLDEST:
        print(f"segdemo needs Python 3.10 or newer; this is {sys.version.split()[0]}.", file=sys.stderr)
        return 2
    testing = arguments[:1] == ["test"]
    try:
        make_environment()
        install("requirements-dev.txt" if testing else "requirements.txt")
    except subprocess.CalledProcessError as error:
        print(f"Setting up failed in: {' '.join(map(str, error.cmd))}", file=sys.stderr)
        if "ensurepip" in error.cmd:
            print("On Debian and Ubuntu, `apt install python3-venv` is missing.", file=sys.stderr)
        return 1
    command = ["-m", "pytest", *IN_TWO_PROCESSES, *arguments[1:]] if testing else ["app.py", *arguments]
    try:
        return subprocess.run([PYTHON, *command], cwd=ROOT, check=False).returncode
    except KeyboardInterrupt:
        return 130


def make_environment() -> None:
    """Make the virtual environment, unless a whole one is there.

    Raises:
        subprocess.CalledProcessError: This Python cannot put pip into it.
    """
    stamp = VENV / "made"
    if stamp.exists():
        return
    print("Making a virtual environment in .venv", flush=True)
    venv.create(VENV, with_pip=True, clear=True)
    stamp.touch()


def install(requirements: str) -> None:
    """Install what a requirements file names, unless that was done before.

    Raises:
        subprocess.CalledProcessError: pip failed.
    """
    files = [ROOT / name for name in dict.fromkeys(("requirements.txt", requirements))]
    content = b"".join(file.read_bytes() for file in files)
    digest, stamp = hashlib.sha256(content).hexdigest(), VENV / f"{requirements}.installed"
    if stamp.exists() and stamp.read_text() == digest:
        return
    print(f"Installing {requirements}: some minutes, the first time", flush=True)
    pip = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]
    subprocess.run([*pip, *(part for file in files for part in ("-r", file))], check=True)
    stamp.write_text(digest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
