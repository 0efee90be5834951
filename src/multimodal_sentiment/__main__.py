"""The project's commands where it is installed without its repository.

`python -m multimodal_sentiment` does what `kedro run` does, in the current folder;
`python -m multimodal_sentiment sample FOLDER` and `prune` are there too.
"""

from __future__ import annotations

import sys

from kedro.framework.project import configure_project

from multimodal_sentiment.cli import cli, run
from multimodal_sentiment.runs.records import MODULE


def main(arguments: list[str] | None = None) -> None:
    """Run a command.

    Args:
        arguments: Of the command line; those of this process if not given.
    """
    configure_project("multimodal_sentiment")
    given = sys.argv[1:] if arguments is None else arguments
    command = cli if given and given[0] in cli.commands else run
    command.main(given, prog_name=MODULE)


if __name__ == "__main__":
    main()
