"""What pyproject.toml cannot say: the checkpoints and the app become parts of the installed package."""

from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py


class BuildWithApp(build_py):
    """Puts `app.py`, which a Space wants at the top of the repository, beside the modules."""

    def run(self) -> None:
        """Build."""
        super().run()
        if not self.editable_mode:
            self.copy_file("app.py", str(Path(self.build_lib, "segdemo", "app.py")))


setup(
    packages=[*find_packages(include=["segdemo", "segdemo.*"]), "segdemo.bundled"],
    package_dir={"segdemo.bundled": "checkpoints"},
    cmdclass={"build_py": BuildWithApp},
)
