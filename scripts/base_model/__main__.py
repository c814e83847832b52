"""python -m scripts.base_model train RECIPE OUT | card FOLDER

With two processes: torchrun --nproc-per-node 2 -m scripts.base_model train ...
"""

from __future__ import annotations

import argparse
from pathlib import Path

from scripts.base_model import card, training


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("train", help="train by a recipe")
    verb.add_argument("recipe", type=Path)
    verb.add_argument("out", type=Path)
    verb = verbs.add_parser("card", help="measure a folder, write its card")
    verb.add_argument("folder", type=Path)
    args = parser.parse_args()
    if args.verb == "train":
        training.run(args.recipe, args.out)
    else:
        card.write(args.folder)


if __name__ == "__main__":
    main()
