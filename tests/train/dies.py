"""Six steps on two ranks, a checkpoint after each: `torchrun dies.py FOLDER`.

Until FOLDER/died exists, rank 1 dies before the fourth step. The losses of
this life go to FOLDER/losses.json.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from ranks import STEPS, averaged, model_of, optimizer_of, parted, plain

from llm_utils.train import distributed


def main(folder: Path) -> None:
    with distributed.init(timeout=30) as world:
        model = distributed.fsdp(model_of())
        opt, part = optimizer_of(model), parted(world)
        saved = sorted(folder.glob("step-?"))
        first = 0
        if saved:
            first = distributed.load_checkpoint(saved[-1], model, opt)
        losses = {}
        for step in range(first, STEPS):
            if step == 3 and world.rank == 1 and not (folder / "died").exists():
                (folder / "died").touch()
                os._exit(13)
            loss = plain(model, opt, [step], part=part)
            losses[step] = averaged(loss)[0]
            name = folder / f"step-{step + 1}"
            distributed.save_checkpoint(name, model, opt, step + 1)
        if world.rank == 0:
            (folder / "losses.json").write_text(json.dumps(losses))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
