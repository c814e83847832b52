"""TinyWorld: short stories whose probability and truth are known exactly."""

from llm_utils.text.tinyworld.judge import Verdict
from llm_utils.text.tinyworld.world import Entropy, Facts, Story, TinyWorld

__all__ = ["Entropy", "Facts", "Story", "TinyWorld", "Verdict"]
