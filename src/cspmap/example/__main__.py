"""`python -m cspmap.example [--from DIR] [--out DIR]`: write the bundled example again."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from cspmap.example import write_example


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the example's generated files and name them."""
    parser = argparse.ArgumentParser(
        prog="python -m cspmap.example", description="Write the generated files of the bundled example."
    )
    parser.add_argument(
        "--from",
        dest="root",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder that holds geo/ and data/ with the masters (default: the current folder)",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder to write geo/ and data/ in (default: the same)")
    options = parser.parse_args(arguments)
    for path in write_example(options.root, out=options.out):
        print(path.as_posix())


if __name__ == "__main__":
    main()
