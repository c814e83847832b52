"""The command line: python -m llm_utils VERB ...

Each week's verbs stand in the `commands` of its stage: `train` in chapter 8,
then `sample`, `evaluate`, `export`, `chat` and `serve` in week 4, `race` in
chapter 17.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from llm_utils.capstone import commands as capstone
from llm_utils.infer import commands as infer
from llm_utils.train import commands as train


def main(argv: Sequence[str] | None = None) -> int:
    """0 if all went well; 1 after an error, which is printed."""
    parser = argparse.ArgumentParser("python -m llm_utils")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for stage in (train, infer, capstone):
        stage.add(verbs)
    args, flags = parser.parse_known_args(argv)
    args.flags = flags
    if flags and "has_recipe" not in args:  # only a recipe has more values
        parser.error(f"unknown: {' '.join(flags)}")
    try:
        return int(args.do(args))
    except (ValueError, OSError, ArithmeticError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
