"""A chat template in the files of `transformers`: Jinja, the same ids.

Chapter 14 writes it beside an exported model. What `template` does in Python
is said once more in the only language that its readers run.
"""

from __future__ import annotations

import json
from pathlib import Path

from llm_utils.align.template import ANSWERS, ChatTemplate, Format
from llm_utils.model.hf_files import read_json, write_json
from llm_utils.text.saved import PathLike


def jinja(format: Format) -> str:
    """A format -> the `chat_template` of tokenizer_config.json.

    apply_chat_template gives the ids of `ChatTemplate.render`, with
    add_generation_prompt those of `prompt`, and with
    return_assistant_tokens_mask the same mask. One thing it cannot do: a
    special token in the words of a message becomes that token. Chapter 14.
    """
    parts = [_say(format.begin), "{%- for message in messages -%}"]
    branch = "if"
    for role, turn in format.turns.items():
        parts.append(f"{{%- {branch} message['role'] == {_text(role)} -%}}")
        branch = "elif"
        if role == ANSWERS:
            before, lead = format.answer
            parts += [_say(before), "{%- generation -%}", _words(lead)]
            parts += [_say(format.end), "{%- endgeneration -%}"]
        else:
            parts += [_say(turn.before), _words()]
        parts.append(_say(turn.after))
    parts += [
        "{%- else -%}",
        "{{- raise_exception('no place for the role ' + message['role']) -}}",
        "{%- endif -%}{%- endfor -%}",
        "{%- if add_generation_prompt -%}",
        _say(format.answer[0]),
        "{%- endif -%}",
    ]
    return "".join(parts)


def save_template(template: ChatTemplate, folder: PathLike) -> None:
    """Add the template to a folder that `to_hf` or `export` has written.

    The token that ends an answer becomes the one that ends generation.
    ValueError if the folder has no tokenizer. Chapter 14.
    """
    folder, end = Path(folder), template.format.end
    config = read_json(folder / "tokenizer_config.json")
    config |= {"chat_template": jinja(template.format), "eos_token": end}
    write_json(folder / "tokenizer_config.json", config)
    for name in ("config.json", "generation_config.json"):
        record = read_json(folder / name)
        write_json(folder / name, {**record, "eos_token_id": template.end})


def _text(text: str) -> str:
    """A string as Jinja spells it: as JSON does, as long as it is ASCII."""
    if not text.isascii():
        raise ValueError(f"{text!r}: a template's own text must be ASCII")
    return json.dumps(text)


def _say(text: str) -> str:
    return f"{{{{- {_text(text)} -}}}}" if text else ""


def _words(lead: str = "") -> str:
    """The words of a message, without the space around them."""
    return _say(lead) + "{{- message['content'] | trim -}}"
