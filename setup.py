"""Puts the configuration into the wheel; all else stands in pyproject.toml."""

from pathlib import Path
from shutil import copytree, ignore_patterns

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithConfiguration(build_py):
    """Copies `conf` into the package, but for what is the user's own."""

    def run(self) -> None:
        """Build the package."""
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib) / "multimodal_sentiment" / "conf"
            own = ignore_patterns("local", "credentials*")
            copytree("conf", target, ignore=own, dirs_exist_ok=True)
            (target / "local").mkdir(exist_ok=True)  # Kedro asks for it
            (target / "local" / ".gitkeep").touch()


setup(cmdclass={"build_py": BuildWithConfiguration})
