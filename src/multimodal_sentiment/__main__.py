"""The project's commands where it is installed without its repository.

`python -m multimodal_sentiment` does what `kedro run` does, in the current folder;
`python -m multimodal_sentiment sample FOLDER` and `prune` are there too.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> None:
    """Run a command.

    Args:
        arguments: The arguments of the command line; those of this process if not given.
    """
    logging = Path(__file__).parent / "conf" / "logging.yml"
    if logging.is_file() and not Path("conf/logging.yml").exists():
        os.environ.setdefault("KEDRO_LOGGING_CONFIG", str(logging))  # read as Kedro is imported

    from kedro.framework.project import configure_project

    from multimodal_sentiment.cli import cli
    from multimodal_sentiment.commands import MODULE
    from multimodal_sentiment.kedro_run import run

    configure_project("multimodal_sentiment")
    given = sys.argv[1:] if arguments is None else arguments
    command = cli if given and given[0] in cli.commands else run
    command.main(given, prog_name=MODULE)


if __name__ == "__main__":
    main()
