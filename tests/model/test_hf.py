"""Hugging Face folders, both ways, against transformers itself.

Tiny random models: nothing is fetched.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import torch
import transformers as hf
from agreement import silently
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from tiny import RECIPES, ids, seeded, stirred
from torch import Tensor
from torch.overrides import TorchFunctionMode

from llm_utils.model import hf_names
from llm_utils.model.gpt import GPT
from llm_utils.model.hf import from_hf, to_hf
from llm_utils.model.hf_config import read_config
from llm_utils.model.hf_files import read_weights
from llm_utils.model.rope_scaling import Llama3Scaling
from llm_utils.model.zoo import PRESETS, build, llama_block
from llm_utils.text.bpe import ByteBPE
from llm_utils.text.tokenizer import CharTokenizer

close = torch.testing.assert_close
hf.utils.logging.set_verbosity(logging.CRITICAL)
hf.utils.logging.disable_progress_bar()

V = 99
ROPE = {
    "llama": {
        "rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0,
        "high_freq_factor": 4.0, "original_max_position_embeddings": 16,
    },
    "llama-yarn": {
        "rope_type": "yarn", "factor": 4.0,
        "original_max_position_embeddings": 16,
    },
    "llama-linear": {"rope_type": "linear", "factor": 4.0},
}  # fmt: skip
SIZES = {
    "vocab_size": V, "hidden_size": 32, "intermediate_size": 24,
    "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 64,
}  # fmt: skip


def theirs(name: str) -> hf.PreTrainedModel:
    """A tiny model of transformers in which each weight matters."""
    torch.manual_seed(0)
    if name == "gpt2":
        sizes = dict(n_positions=64, n_embd=32, n_layer=2, n_head=4)
        model = hf.GPT2LMHeadModel(hf.GPT2Config(vocab_size=V, **sizes))
    elif name.startswith("llama"):
        scaling = {"rope_theta": 10_000.0, "rope_scaling": ROPE[name]}
        model = hf.LlamaForCausalLM(hf.LlamaConfig(**SIZES, **scaling))
    elif name == "mistral":
        model = hf.MistralForCausalLM(
            hf.MistralConfig(**SIZES, sliding_window=5)
        )
    elif name == "qwen3":
        config = hf.Qwen3Config(**SIZES, head_dim=6, tie_word_embeddings=True)
        model = hf.Qwen3ForCausalLM(config)
    else:
        config = hf.MixtralConfig(**SIZES, num_local_experts=4)
        model = hf.MixtralForCausalLM(config)
    plain_experts(model)
    model.generation_config.eos_token_id = None
    return stirred(model, std=0.2).float()


def plain_experts(model: hf.PreTrainedModel) -> None:
    """Their fused kernel for experts, new in transformers 5, has no float64."""
    if hasattr(model, "set_experts_implementation"):
        model.set_experts_implementation("eager")


FAMILIES = ["gpt2", "llama", "llama-yarn", "llama-linear", "mistral",
            "qwen3", "mixtral"]  # fmt: skip


class InFloat64(TorchFunctionMode):
    """Lets a float64 model of transformers stay in float64.

    Its norms and routers compute in float32 whatever the model's dtype: a step
    up from bfloat16, a step down from float64. Positions (vectors, not
    matrices) stay as released: float32.
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func in (Tensor.to, Tensor.float):
            x = args[0]
            to_float = func is Tensor.float or torch.float32 in (
                *args[1:],
                *kwargs.values(),
            )
            matrix = x.dim() > 1 and x.shape[-1] > 1
            if to_float and x.dtype == torch.float64 and matrix:
                return x
        if func is torch.nn.functional.softmax:
            kwargs.pop("dtype", None)
        return func(*args, **kwargs)


NAMES = {"gpt2": "GPT-2", "llama": "Llama", "mistral": "Mistral",
         "qwen3": "Qwen3", "mixtral": "Mixtral"}  # fmt: skip


@torch.no_grad()
def assert_parity(
    ours: GPT, model: hf.PreTrainedModel, T: int = 40, agrees=silently
) -> None:
    """The same logits: 1e-5 in float32, 1e-10 in float64."""
    what = f"logits of a {NAMES[model.config.model_type]} folder"
    x = ids(2, T, vocab_size=V)
    a, b = ours(x), model(x).logits
    assert float(b.std()) > 0.5, "vacuous test"
    agrees("transformers", f"{what}, float32", a, b, atol=1e-5, rtol=0)
    ours.double(), model.double()
    with InFloat64():
        b = model(x).logits
    assert b.dtype == torch.float64
    agrees("transformers", f"{what}, float64", ours(x), b, atol=1e-10, rtol=0)
    ours.float(), model.float()


# --- parity ------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
def test_from_them_to_us_and_back(agrees, name: str, tmp_path: Path) -> None:
    model = theirs(name)
    model.save_pretrained(tmp_path / "theirs")
    ours = from_hf(tmp_path / "theirs")
    assert ours.n_params == sum(p.numel() for p in model.parameters())
    assert_parity(ours, model, agrees=agrees)

    to_hf(ours, None, tmp_path / "ours")
    again, info = hf.AutoModelForCausalLM.from_pretrained(
        tmp_path / "ours", output_loading_info=True
    )
    assert type(again) is type(model)
    assert not any(info.values()), "a key was dropped or made up"
    agrees(
        "transformers", "weights, read from a folder and written to another",
        again.state_dict(), model.state_dict(), atol=0, rtol=0,
    )  # fmt: skip
    written = load_file(tmp_path / "ours" / "model.safetensors")
    published = load_file(tmp_path / "theirs" / "model.safetensors")
    assert written.keys() == published.keys()


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("tie", [True, False])
def test_from_us_to_them(agrees, name: str, tie: bool, tmp_path: Path) -> None:
    ours = build(name, seeded(), vocab_size=V, tie_embeddings=tie)
    ours = stirred(ours, std=0.1).float()
    to_hf(ours, None, tmp_path)
    model, info = hf.AutoModelForCausalLM.from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert not any(info.values())
    plain_experts(model)
    assert_parity(ours, model, 64, agrees)
    back = from_hf(tmp_path).state_dict()
    assert all(torch.equal(back[k], v) for k, v in ours.state_dict().items())


@pytest.mark.parametrize("name", ["gpt2", "llama", "qwen3", "mixtral"])
def test_generate_gives_the_same_greedy_tokens(
    agrees, name, tmp_path: Path
) -> None:
    model = theirs(name)
    if name == "gpt2":  # tied, it would repeat its last token for ever
        model.transformer.ln_f.weight.data.neg_()
    model.save_pretrained(tmp_path)
    ours = from_hf(tmp_path)
    x = ids(1, 5, vocab_size=V)
    wanted = model.generate(
        x, max_new_tokens=30, do_sample=False, pad_token_id=0
    )
    for _ in range(30):
        x = torch.cat((x, ours(x)[:, -1:].argmax(-1)), 1)
    agrees(
        "transformers", "greedy tokens of a folder of theirs",
        x.tolist(), wanted.tolist(),
    )  # fmt: skip
    assert len(set(x[0].tolist())) > 8, "vacuous test"


SWAPS = {
    "gate and up": ("ffn.gate.weight", "ffn.up.weight"),
    "query and output": ("attn.q.weight", "attn.out.weight"),
    "key and value": ("attn.k.weight", "attn.v.weight"),
    "the norms": ("norm1.weight", "norm2.weight"),
}


@pytest.mark.parametrize("swap", SWAPS)
def test_a_wrong_table_is_noticed(swap: str, tmp_path, monkeypatch) -> None:
    """Two names exchanged fit in shape; only the logits tell."""
    model = theirs("llama")
    model.save_pretrained(tmp_path)
    a, b = (f"blocks.{{i}}.{name}" for name in SWAPS[swap])
    other = {a: b, b: a}
    rows = hf_names.FAMILIES[1].weights
    wrong = tuple(
        row._replace(ours=tuple(other.get(o, o) for o in row.ours))
        for row in rows
    )
    monkeypatch.setitem(hf_names.FAMILIES[1].__dict__, "weights", wrong)
    with pytest.raises(AssertionError):
        assert_parity(from_hf(tmp_path), model)


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("llama", "rope_theta", 9_000.0),
        ("llama", "rms_norm_eps", 1e-2),
        ("mistral", "sliding_window", 6),
        ("gpt2", "n_head", 2),
    ],
)
def test_sizes_that_leave_no_trace_in_the_weights(
    name: str, key: str, value, tmp_path: Path
) -> None:
    """They must be read from config.json, or the logits tell."""
    model = theirs(name)
    model.save_pretrained(tmp_path)
    edit(tmp_path, **{key: value})
    with pytest.raises(AssertionError):
        assert_parity(from_hf(tmp_path), model)


def edit(folder: Path, **changes) -> None:
    """Change config.json; RoPE in the spelling of before transformers 5."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    if "rope_parameters" in config:
        rope = config.pop("rope_parameters")
        config["rope_theta"] = rope.pop("rope_theta")
        config["rope_scaling"] = rope
    config.update(changes)
    path.write_text(json.dumps(config))


def test_one_expert_a_token_is_another_model(tmp_path: Path) -> None:
    """Mixtral makes its one weight 1, so its router has no slope; ours has."""
    model = theirs("mixtral")
    model.save_pretrained(tmp_path / "theirs")
    edit(tmp_path / "theirs", num_experts_per_tok=1)
    alone = hf.AutoModelForCausalLM.from_pretrained(tmp_path / "theirs")
    plain_experts(alone)
    alone(ids(2, 9, vocab_size=V)).logits.square().sum().backward()
    router = alone.model.layers[0].mlp.gate.weight
    assert float(router.grad.abs().max()) < 1e-5
    with pytest.raises(ValueError, match="num_experts_per_tok=1: mixtral"):
        from_hf(tmp_path / "theirs")
    ours = build("tiny-moe", seeded(), vocab_size=V, top_k=1)
    with pytest.raises(ValueError, match="num_experts_per_tok=1: mixtral"):
        to_hf(ours, None, tmp_path / "ours")
    ours(ids(2, 9, vocab_size=V)).square().sum().backward()
    assert float(ours.blocks[0].ffn.router.weight.grad.abs().max()) > 1e-4


def test_both_spellings_of_rope(tmp_path: Path) -> None:
    theirs("llama").save_pretrained(tmp_path)
    new = from_hf(tmp_path).cfg
    edit(tmp_path)
    assert from_hf(tmp_path).cfg == new
    assert new.rope_scaling == Llama3Scaling(4.0, 1.0, 4.0, 16)


# --- files -------------------------------------------------------------------


def test_shards(tmp_path: Path) -> None:
    model = theirs("llama")
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 2
    assert_parity(from_hf(tmp_path), model)
    whole = read_weights(tmp_path)
    last = sorted(tmp_path.glob("*.safetensors"))[-1]
    tensors = load_file(last)
    lost = tensors.popitem()[0]
    save_file(tensors, last)
    with pytest.raises(ValueError, match=f"differ in {lost}"):
        from_hf(tmp_path)
    last.unlink()
    with pytest.raises(ValueError, match=f"there is no {last.name}"):
        from_hf(tmp_path)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {lost: "../secret"}}))
    with pytest.raises(ValueError, match="which is no file"):
        from_hf(tmp_path)
    assert lost in whole


def test_names_of_old_files(tmp_path: Path) -> None:
    """GPT-2's own file has no prefix and carries its masks along."""
    model = theirs("gpt2")
    model.save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    new = load_file(path)
    old = {k.removeprefix("transformer."): v for k, v in new.items()}
    old["h.0.attn.bias"] = torch.ones(1, 1, 64, 64).tril()
    old["h.0.attn.masked_bias"] = torch.tensor(-1e4)
    save_file(old, path)
    assert_parity(from_hf(tmp_path), model)
    save_file({**old, "h.0.attn.bogus": torch.ones(1)}, path)
    with pytest.raises(ValueError, match=r"have transformer.*\.bogus that"):
        from_hf(tmp_path)


def test_a_tied_head_may_be_stored_if_it_is_the_same(tmp_path: Path) -> None:
    model = theirs("qwen3")
    model.save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    tensors = load_file(path)
    head = tensors["model.embed_tokens.weight"].clone()
    save_file({**tensors, "lm_head.weight": head}, path)
    assert_parity(from_hf(tmp_path), model)
    save_file({**tensors, "lm_head.weight": head + 1}, path)
    with pytest.raises(ValueError, match="another matrix"):
        from_hf(tmp_path)


def test_weights_begin_with_a_cache_line(tmp_path: Path) -> None:
    model, path = theirs("llama"), tmp_path / "model.safetensors"
    model.save_pretrained(tmp_path)
    tensors, where = load_file(path), set()
    for n in range(8):  # a longer header moves what comes after it
        save_file(tensors, path, {"format": "pt", "more": "x" * 8 * n})
        where |= {x.data_ptr() % 64 for x in load_file(path).values()}
        ours = from_hf(tmp_path)
        assert {p.data_ptr() % 64 for p in ours.parameters()} == {0}
    assert len(where) > 1
    assert_parity(ours, model)


def test_dtypes(tmp_path: Path) -> None:
    model = theirs("llama").bfloat16()
    model.save_pretrained(tmp_path / "half")
    ours = from_hf(tmp_path / "half")
    assert {p.dtype for p in ours.parameters()} == {torch.bfloat16}
    assert json.loads((tmp_path / "half/config.json").read_text())["dtype"]
    full = from_hf(tmp_path / "half", torch.float32)
    assert {p.dtype for p in full.parameters()} == {torch.float32}
    to_hf(ours, None, tmp_path / "again")
    again = hf.AutoModelForCausalLM.from_pretrained(
        tmp_path / "again", dtype="auto"
    )
    assert again.dtype == torch.bfloat16


def broken(folder: Path, how: str) -> None:
    weights, config = folder / "model.safetensors", folder / "config.json"
    if how == "cut":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif how == "cut in the header":
        weights.write_bytes(weights.read_bytes()[:50])
    elif how == "no weights":
        weights.rename(folder / "pytorch_model.bin")
    elif how == "no config":
        config.unlink()
    elif how == "half a config":
        config.write_text(config.read_text()[:200])
    else:
        tensors = load_file(weights)
        norm = tensors.pop("model.norm.weight")
        if how == "renamed":
            tensors["model.norm.scale"] = norm
        if how == "other shape":
            tensors["model.norm.weight"] = norm[:-1].clone()
        save_file(tensors, weights)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("cut", "model.safetensors is damaged or cut short"),
        ("cut in the header", "model.safetensors is damaged or cut short"),
        ("no weights", "there is no model.safetensors, only .*pytorch_model"),
        ("no config", "there is no config.json"),
        ("half a config", "config.json is damaged"),
        ("lost", "the weights lack model.norm.weight and have nothing"),
        ("renamed", "lack model.norm.weight and have model.norm.scale"),
        ("other shape", r"model.norm.weight has shape \(31,\).* \(32,\)"),
    ],
)
def test_a_wrong_folder_is_refused(how: str, says: str, tmp_path) -> None:
    theirs("llama").save_pretrained(tmp_path)
    assert isinstance(from_hf(tmp_path), GPT)
    broken(tmp_path, how)
    with pytest.raises(ValueError, match=says) as error:
        from_hf(tmp_path)
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("llama", {"model_type": "bloom"}, "model_type='bloom': known here"),
        ("llama", {"hidden_act": "relu"}, "hidden_act='relu'"),
        ("llama", {"attention_bias": True}, "attention_bias=True"),
        ("llama", {"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}},
         "rope_type='dynamic'"),
        ("llama", {"rope_scaling": {"rope_type": "linear"}}, "'factor'"),
        ("llama", {"rope_scaling": {"rope_type": "yarn", "mscale": 1.0}},
         "mscale=1.0"),
        ("llama", {"quantization_config": {"bits": 4}}, "quantized"),
        ("llama", {"num_key_value_heads": 3}, "does not divide n_heads=4"),
        ("llama", {"num_key_value_heads": 4}, "k_proj.weight has shape"),
        ("qwen3", {"use_sliding_window": True}, "use_sliding_window=True"),
        ("gpt2", {"activation_function": "relu"}, "activation_function"),
        ("gpt2", {"scale_attn_by_inverse_layer_idx": True}, "inverse_layer"),
    ],
)  # fmt: skip
def test_a_config_of_another_model_is_refused(
    name: str, changes, says: str, tmp_path: Path
) -> None:
    theirs(name).save_pretrained(tmp_path)
    edit(tmp_path, **changes)
    with pytest.raises(ValueError, match=says):
        from_hf(tmp_path)


def test_a_config_must_say_the_sizes() -> None:
    config = {"model_type": "llama", "vocab_size": 9}
    with pytest.raises(ValueError, match="lacks 'num_hidden_layers'"):
        read_config(config)


def test_the_released_configs_are_read() -> None:
    """As in the folders of GPT-2 and Llama 3.2 1B: much is left unsaid."""
    _, gpt2 = read_config(
        {
            "model_type": "gpt2", "activation_function": "gelu_new",
            "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_layer": 12,
            "n_positions": 1024, "vocab_size": 50257,
            "layer_norm_epsilon": 1e-05, "resid_pdrop": 0.0,
        }
    )  # fmt: skip
    assert gpt2 == PRESETS["gpt2"].cfg
    _, llama = read_config(
        {
            "model_type": "llama", "attention_bias": False, "head_dim": 64,
            "hidden_act": "silu", "hidden_size": 2048,
            "intermediate_size": 8192, "max_position_embeddings": 131072,
            "mlp_bias": False, "num_attention_heads": 32,
            "num_hidden_layers": 16, "num_key_value_heads": 8,
            "rms_norm_eps": 1e-05, "rope_theta": 500000.0,
            "rope_scaling": {
                "factor": 32.0, "high_freq_factor": 4.0,
                "low_freq_factor": 1.0,
                "original_max_position_embeddings": 8192,
                "rope_type": "llama3",
            },
            "tie_word_embeddings": True, "vocab_size": 128256,
        }
    )  # fmt: skip
    assert llama == PRESETS["llama-3.2-1b"].cfg


@pytest.mark.parametrize(
    ("name", "sizes", "says"),
    [
        ("tiny-gpt2", {"positions": "none"}, "gpt2 cannot say positions"),
        ("tiny-gpt2", {"d_head": 8}, "cannot say d_head=8"),
        ("tiny-gpt2", {"n_kv_heads": 2}, "cannot say n_kv_heads=2"),
        ("tiny-llama", {"positions": "learned"}, "cannot say positions"),
        ("tiny-qwen", {"window": 7}, "cannot say window=7"),
    ],
)
def test_models_that_have_no_such_form(name, sizes, says, tmp_path) -> None:
    with pytest.raises(ValueError, match=says):
        to_hf(build(name, seeded(), **sizes), None, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_recipe_of_your_own_has_no_such_form(tmp_path: Path) -> None:
    model = GPT(PRESETS["tiny-llama"].cfg, lambda c, i: llama_block(c, i))
    with pytest.raises(ValueError, match="no class for this recipe"):
        to_hf(model, None, tmp_path)


def test_weights_that_have_no_place_are_not_dropped(tmp_path: Path) -> None:
    model = build("tiny-llama", seeded())
    model.blocks[0].attn.out.bias = torch.nn.Parameter(torch.zeros(64))
    with pytest.raises(ValueError, match=r"no place for blocks\.0.*out\.bias"):
        to_hf(model, None, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_name_that_is_no_folder() -> None:
    with pytest.raises(ValueError, match="no folder and no name on the Hub"):
        from_hf("no/such/place/at/all")


# --- tokenizers --------------------------------------------------------------

TEXT = "It's the first of these; they're short, we'll see 10, 100 times. " * 5
SPECIALS = ["<|endoftext|>", "<|user|>"]


@pytest.fixture(scope="module")
def bpe() -> ByteBPE:
    return ByteBPE.train(TEXT, 320, SPECIALS)


@pytest.fixture(scope="module")
def folder(bpe: ByteBPE, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("model")
    to_hf(build("tiny-llama", seeded(), vocab_size=320), bpe, path)
    return path


texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=40),
    st.text(st.sampled_from("the fir'sl\n\t <|user>0\u00e9\u4e2d")),
    st.lists(st.sampled_from([*SPECIALS, " the", "'ll ", "\n"])).map("".join),
)


@pytest.fixture(scope="module")
def auto(folder: Path):
    return hf.AutoTokenizer.from_pretrained(folder)


@given(text=texts)
def test_auto_tokenizer_gives_the_same_ids(
    agrees, auto, bpe: ByteBPE, text
) -> None:
    wanted, found = bpe.encode(text, "all"), auto(text)["input_ids"]
    agrees("transformers", "ids of our tokenizer.json", wanted, found)
    what, found = "the text of ids, by our tokenizer.json", auto.decode(wanted)
    agrees("transformers", what, bpe.decode(wanted), found)
    assert found == text


def test_auto_tokenizer_knows_the_end(auto, bpe: ByteBPE) -> None:
    assert len(auto) == bpe.vocab_size > 256 + len(SPECIALS)
    assert auto.eos_token == auto.bos_token == "<|endoftext|>"
    assert auto.eos_token_id == bpe.special_tokens["<|endoftext|>"]
    ids = bpe.encode("the first<|endoftext|>", "all")
    assert auto.decode(ids, skip_special_tokens=True) == "the first"


def test_another_pattern_and_byte_order(agrees, tmp_path: Path) -> None:
    order = bytes([*range(255, -1, -1)])
    merges = ByteBPE.train(TEXT, 300, pattern=r"\s|\S+").merges
    bpe = ByteBPE(merges, SPECIALS, r"\s|\S+", order)
    model = build("tiny-gpt2", seeded(), vocab_size=320)
    to_hf(model, bpe, tmp_path, end="<|user|>")
    auto = hf.AutoTokenizer.from_pretrained(tmp_path)
    for text in (TEXT, "  two\n\nspaces \u00e9\u4e2d'll", ""):
        agrees(
            "transformers", "ids under another pattern and order of bytes",
            bpe.encode(text), auto(text)["input_ids"],
        )  # fmt: skip
    assert auto.eos_token == "<|user|>"
    plain = ByteBPE(merges, SPECIALS)  # another order is noticed
    assert auto(TEXT)["input_ids"] != plain.encode(TEXT)


def test_a_token_that_no_merge_reaches(tmp_path: Path) -> None:
    """In abc, ab is merged first: the token abc is there, but never comes."""
    bpe = ByteBPE.from_merges([(b"a", b"b"), (b"b", b"c"), (b"a", b"bc")])
    to_hf(build("tiny-gpt2", seeded(), vocab_size=300), bpe, tmp_path)
    auto = hf.AutoTokenizer.from_pretrained(tmp_path)
    assert auto("abc")["input_ids"] == bpe.encode("abc") == [256, ord("c")]


def test_what_to_hf_writes(agrees, folder: Path, bpe: ByteBPE) -> None:
    assert sorted(p.name for p in folder.iterdir()) == [
        "config.json", "generation_config.json", "model.safetensors",
        "tokenizer.json", "tokenizer_config.json",
    ]  # fmt: skip
    model = hf.AutoModelForCausalLM.from_pretrained(folder)
    end = bpe.special_tokens["<|endoftext|>"]
    assert model.config.eos_token_id == end
    assert model.generation_config.eos_token_id == end
    assert model.generation_config.do_sample is False
    auto = hf.AutoTokenizer.from_pretrained(folder)
    prompt = auto("the first of", return_tensors="pt")
    out = model.generate(**prompt, max_new_tokens=8, pad_token_id=end)
    ours, x = from_hf(folder), prompt["input_ids"]
    for _ in range(out.shape[1] - x.shape[1]):
        x = torch.cat((x, ours(x)[:, -1:].argmax(-1)), 1)
    what = "greedy tokens and text of a folder of ours"
    agrees("transformers", what, x.tolist(), out.tolist())
    agrees("transformers", what, bpe.decode(x[0].tolist()), auto.decode(x[0]))


def test_gpt2s_own_tokenizer(agrees, tmp_path: Path) -> None:
    try:
        bpe = ByteBPE.gpt2()
    except OSError as error:
        pytest.skip(f"GPT-2's files are not to be had: {error}")
    model = build("tiny-gpt2", seeded(), vocab_size=50_257)
    to_hf(model, bpe, tmp_path)
    auto = hf.AutoTokenizer.from_pretrained(tmp_path)
    agrees(
        "transformers", "ids of GPT-2's vocabulary, from our tokenizer.json",
        bpe.encode(TEXT), auto(TEXT)["input_ids"],
    )  # fmt: skip


def test_tokenizers_that_do_not_fit(bpe: ByteBPE, tmp_path: Path) -> None:
    small = build("tiny-llama", seeded(), vocab_size=290)
    with pytest.raises(ValueError, match="294 ids, the model only"):
        to_hf(small, bpe, tmp_path)
    with pytest.raises(ValueError, match="CharTokenizer has no tokenizer"):
        to_hf(small, CharTokenizer("ab"), tmp_path)
    assert list(tmp_path.iterdir()) == []
