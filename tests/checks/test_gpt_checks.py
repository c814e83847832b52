"""Chapter 6's checks: right answers in two forms, and planted wrong ones.

The answers are written as readers write them, not with the checks' own code.
"""

import functools
import math

import gpt_beginners
import pytest
import torch
from held import held_to
from torch import nn

from llm_utils.checks import gpt as check
from llm_utils.checks.gpt.layers import layer
from llm_utils.model.attention import Attention
from llm_utils.model.ffn import MLP
from llm_utils.model.gpt import GPT, ModelConfig
from llm_utils.model.norm import LayerNorm
from llm_utils.model.zoo import PRESETS, build, gpt2_block, moe_block

# -- 1: logits


def logits_loop(ids, E, P, blocks, norm):
    T = len(ids[0])
    x = torch.stack([E[row] + P[:T] for row in ids])
    for i in range(len(blocks)):
        x = blocks[i](x)
    return torch.einsum("btc,vc->btv", norm(x), E)


def logits_embedding(ids, E, P, blocks, norm):
    x = nn.functional.embedding(ids, E)
    x = x + P[torch.arange(ids.shape[-1])]
    x = functools.reduce(lambda x, block: block(x), blocks, x)
    return nn.functional.linear(norm(x), E).numpy()


def logits_no_norm(ids, E, P, blocks, norm):
    x = E[ids] + P[: ids.shape[1]]
    for block in blocks:
        x = block(x)
    return x @ E.T


def logits_no_positions(ids, E, P, blocks, norm):
    x = E[ids]
    for block in blocks:
        x = block(x)
    return norm(x) @ E.T


def logits_twice(ids, E, P, blocks, norm):
    x = E[ids] + P[: ids.shape[1]]
    for block in blocks:
        x = block(x + P[: ids.shape[1]])
    return norm(x) @ E.T


def logits_uncut(ids, E, P, blocks, norm):
    x = E[ids] + P
    for block in blocks:
        x = block(x)
    return norm(x) @ E.T


def logits_same_input(ids, E, P, blocks, norm):
    x = y = E[ids] + P[: ids.shape[1]]
    for block in blocks:
        y = block(x)
    return norm(y) @ E.T


def logits_residual(ids, E, P, blocks, norm):
    x = E[ids] + P[: ids.shape[1]]
    for block in blocks:
        x = x + block(x)
    return norm(x) @ E.T


# -- 2: moe_params


def moe_listed(c):
    C, D = c.d_model, c.d_head
    shapes = [(c.n_heads * D, C)] * 2 + [(c.n_kv_heads * D, C)] * 2
    shapes += [(C, 1)] * 2 + [(c.n_experts, C)]
    shared = sum(a * b for a, b in shapes)
    expert = 3 * C * c.d_ff
    ends = c.vocab_size * C * (2 - c.tie_embeddings) + C
    return [
        ends + c.n_layers * (shared + n * expert)
        for n in (c.n_experts, c.top_k)
    ]


def moe_per_layer(c):
    """What every token meets first, then the experts on top, as a tensor."""
    heads = c.n_heads + c.n_kv_heads
    met = c.d_model * (2 * c.d_head * heads + c.n_experts + 2)
    expert = c.d_model * c.d_ff * 3
    tables = c.vocab_size * c.d_model
    rest = tables + c.d_model + (0 if c.tie_embeddings else tables)
    chosen = torch.tensor([c.n_experts, c.top_k])
    return rest + c.n_layers * (met + expert * chosen)


def moe_no_router(c):
    less = c.n_layers * c.n_experts * c.d_model
    return tuple(n - less for n in moe_listed(c))


def moe_two_matrices(c):
    total, active = moe_listed(c)
    one = c.n_layers * c.d_model * c.d_ff
    return total - one * c.n_experts, active - one * c.top_k


def moe_all_heads(c):
    more = 2 * c.d_model * (c.n_heads - c.n_kv_heads) * c.d_head * c.n_layers
    return [n + more for n in moe_listed(c)]


def moe_tied(c):
    more = 0 if c.tie_embeddings else c.vocab_size * c.d_model
    return [n - more for n in moe_listed(c)]


# -- 4: layers_that_fit


def fit_loop(table, block, n_bytes):
    n = 0
    while 4 * 4 * (table + (n + 1) * block) <= n_bytes:
        n += 1
    return n


def fit_floor(table, block, n_bytes):
    return max(0.0, math.floor((n_bytes / 16 - table) / block))


# -- 5: sizes


def sizes_careful(config):
    heads = config["num_attention_heads"]
    kv = config.get("num_key_value_heads")
    d_head = config.get("head_dim")
    return {
        "tie_embeddings": bool(config.get("tie_word_embeddings")),
        "n_kv_heads": heads if kv is None else kv,
        "d_head": config["hidden_size"] / heads if d_head is None else d_head,
        "n_heads": heads,
        "d_model": config["hidden_size"],
    }


def sizes_or(config):
    width, heads = config["hidden_size"], config["num_attention_heads"]
    return dict(
        d_model=width,
        n_heads=heads,
        n_kv_heads=config.get("num_key_value_heads") or heads,
        d_head=config.get("head_dim") or width // heads,
        tie_embeddings=config.get("tie_word_embeddings", False),
    )


def sizes_broken(config):
    return {
        "d_model": config["hidden_size"],
        "n_heads": config["num_attention_heads"],
        "n_kv_heads": config.get("num_key_value_heads", 1),
        "d_head": config["hidden_size"] // config["num_attention_heads"],
        "tie_embeddings": config.get("tie_word_embeddings", True),
    }


def sizes_divided(config):
    width, heads = config["hidden_size"], config["num_attention_heads"]
    return {**sizes_or(config), "d_head": width // heads}


def sizes_null(config):
    heads = config["num_attention_heads"]
    d_head = config.get("head_dim", config["hidden_size"] // heads)
    kv = config.get("num_key_value_heads", heads)
    return {**sizes_or(config), "d_head": d_head, "n_kv_heads": kv}


def sizes_tied(config):
    tied = config.get("tie_word_embeddings", True)
    return {**sizes_or(config), "tie_embeddings": tied}


def sizes_strict(config):
    return {
        "d_model": config["hidden_size"],
        "n_heads": config["num_attention_heads"],
        "n_kv_heads": config["num_key_value_heads"]
        or config["num_attention_heads"],
        "d_head": config["head_dim"] or 2,
        "tie_embeddings": config["tie_word_embeddings"],
    }


def sizes_fewer(config):
    return {k: v for k, v in sizes_or(config).items() if k != "d_model"}


# -- 6: copy_rate


def copy_loop(model, ids):
    scores, hits = model(ids), 0
    for row in range(len(ids)):
        for t in range(len(ids[row])):
            hits += int(scores[row, t].argmax() == ids[row, t])
    return hits / ids.numel()


def copy_softmax(model, ids):
    best = model(ids).softmax(-1).topk(1).indices.squeeze(-1)
    return torch.eq(best, ids).double().mean()


def copy_next(model, ids):
    return (model(ids).argmax(-1)[:, :-1] == ids[:, 1:]).float().mean()


# -- 7: our_block


def block_loop(theirs):
    ours = {}
    for name, p in theirs.items():
        layer, kind = name.rsplit(".", 1)
        p = p.T if p.dim() == 2 else p
        new = {
            "ln_1": "norm1",
            "ln_2": "norm2",
            "attn.c_proj": "attn.out",
            "mlp.c_fc": "ffn.up",
            "mlp.c_proj": "ffn.down",
        }
        if layer in new:
            ours[f"{new[layer]}.{kind}"] = p
        elif layer == "attn.c_attn":
            C = len(p) // 3
            for i, x in enumerate("qkv"):
                ours[f"attn.{x}.{kind}"] = p[i * C : (i + 1) * C]
    return ours


def block_numpy(theirs):
    return {k: v.numpy() for k, v in block_loop(theirs).items()}


def block_unturned(theirs):
    return block_loop({k: p.T if p.dim() == 2 else p for k, p in theirs.items()}
                      | {"attn.c_attn.weight": torch.cat(
                          [q.T for q in theirs["attn.c_attn.weight"].chunk(
                              3, 1)], 1)})  # fmt: skip


def block_square(theirs):
    out = theirs["attn.c_proj.weight"]
    return block_loop(theirs) | {"attn.out.weight": out}


def block_qkv_unturned(theirs):
    ours = block_loop(theirs)
    for x in "qkv":
        ours[f"attn.{x}.weight"] = ours[f"attn.{x}.weight"].T
    return ours


def block_swapped(theirs):
    ours = block_loop(theirs)
    for kind in ("weight", "bias"):
        q, k = ours[f"attn.q.{kind}"], ours[f"attn.k.{kind}"]
        ours |= {f"attn.q.{kind}": k, f"attn.k.{kind}": q}
    return ours


def block_masked(theirs):
    return block_loop(theirs) | {"attn.bias": theirs["attn.bias"]}


def block_unbiased(theirs):
    ours = block_loop(theirs)
    return {k: v for k, v in ours.items() if k[-6:] != "q.bias"}


def block_more(theirs):
    return block_loop(theirs) | {"attn.mask": theirs["attn.bias"]}


# -- 8: continuation


def write_cat(model, ids, n, max_len, end):
    x = torch.tensor([ids])
    while x.shape[1] < len(ids) + n:
        new = model(x[:, -max_len:])[:, -1].argmax(-1, keepdim=True)
        if new.item() == end:
            break
        x = torch.cat([x, new], 1)
    return x[0, len(ids) :]


def write_recursive(model, ids, n, max_len, end):
    if n == 0:
        return []
    best = model(torch.tensor(ids[-max_len:])[None])[0][-1].max(0).indices
    if best == end:
        return []
    rest = write_recursive(model, [*ids, int(best)], n - 1, max_len, end)
    return [int(best), *rest]


def write_uncropped(model, ids, n, max_len, end):
    return write_recursive(model, ids, n, 1000, end)


def write_newest(model, ids, n, max_len, end):
    return write_recursive(model, ids, n, 1, end)


def write_on(model, ids, n, max_len, end):
    return write_recursive(model, ids, n, max_len, -1)


def write_all(model, ids, n, max_len, end):
    return ids + write_recursive(model, ids, n, max_len, end)


def write_in_place(model, ids, n, max_len, end):
    new = []
    for _ in range(n):
        best = int(model(torch.tensor([ids[-max_len:]]))[0, -1].argmax())
        if best == end:
            break
        ids.append(best)
        new.append(best)
    return new


def write_for_ever(model, ids, n, max_len, end):
    while True:
        ids = [*ids[-3:], 1]


# -- 9: shard_index


def shards_lists(sizes, limit):
    files = [[]]
    for name in sizes:
        if files[-1] and sum(sizes[x] for x in files[-1]) + sizes[name] > limit:
            files.append([])
        files[-1].append(name)
    n = str(len(files)).zfill(5)
    return {
        "weight_map": {
            name: f"model-{str(i).zfill(5)}-of-{n}.safetensors"
            for i, names in enumerate(files, 1)
            for name in names
        },
        "metadata": {"total_size": sum(sizes.values())},
    }


def shards_sums(sizes, limit):
    room, i, places = limit, 1, []
    for k, size in enumerate(sizes.values()):
        if size > room and k:
            i, room = i + 1, limit
        room -= size
        places.append(i)
    form = "model-{:05d}-of-{:05d}.safetensors".format
    names = [form(p, i) for p in places]
    return {
        "metadata": dict(total_size=sum(sizes.values())),
        "weight_map": dict(zip(sizes, names, strict=True)),
    }


def shards_from_zero(sizes, limit):
    index = shards_lists(sizes, limit)
    for name, file in index["weight_map"].items():
        index["weight_map"][name] = f"model-{int(file[6:11]) - 1:05}{file[11:]}"
    return index


def shards_growing(sizes, limit):
    index = shards_lists(sizes, limit)
    for name, file in index["weight_map"].items():
        index["weight_map"][name] = f"{file[:15]}{file[6:11]}.safetensors"
    return index


def shards_turned(sizes, limit):
    index, turned = shards_lists(sizes, limit), {}
    for name, file in index["weight_map"].items():
        turned.setdefault(file, []).append(name)
    return {**index, "weight_map": turned}


def shards_short(sizes, limit):
    index = shards_lists(sizes, limit)
    for name, file in index["weight_map"].items():
        index["weight_map"][name] = file.replace("0000", "")
    return index


# -- 10: parallel_block


class Plain(nn.Module):
    def __init__(self, attn, ffn, norm):
        super().__init__()
        self.parts = nn.ModuleList([attn, ffn, norm()])
        self.make = norm

    def forward(self, x, mask=None, cache=None):
        attn, ffn, norm = self.parts
        return ffn(norm(x)) + attn(norm(x), mask=mask, cache=cache) + x

    def last_norm(self):
        return self.make()


class Branches(Plain):
    def forward(self, x, mask=None, cache=None):
        attn, ffn, norm = self.parts
        seen = norm(x)
        return torch.stack([x, attn(seen, mask, cache), ffn(seen)]).sum(0)


class Serial(Plain):
    def forward(self, x, mask=None, cache=None):
        attn, ffn, norm = self.parts
        x = x + attn(norm(x), mask, cache)
        return x + ffn(norm(x))


class Bare(Plain):
    def forward(self, x, mask=None, cache=None):
        attn, ffn, _ = self.parts
        return x + attn(x, mask, cache) + ffn(x)


class Blind(Plain):
    def forward(self, x, mask=None, cache=None):
        attn, ffn, norm = self.parts
        return x + attn(norm(x)) + ffn(norm(x))


class Shared(Plain):
    def last_norm(self):
        return self.parts[2]


class Uncalled(Plain):
    def last_norm(self):
        return nn.Identity()


class Double(Plain):
    def __init__(self, attn, ffn, norm):
        super().__init__(attn, ffn, norm)
        self.second = norm()


RIGHT = {
    "logits": [logits_loop, logits_embedding],
    "moe_params": [moe_listed, moe_per_layer],
    "by_size": [
        ["llama", "gpt2", "qwen", "moe"],
        lambda: ("tiny-llama", "tiny-gpt2", "tiny-qwen", "tiny-moe"),
        "Llama, gpt2, qwen, moe",
    ],
    "by_work": [
        ["llama", "moe", "gpt2", "qwen"],
        lambda: "llama moe gpt2 qwen",
    ],
    "layers_that_fit": [fit_floor, lambda *x: max(0, int(fit_floor(*x)))],
    "sizes": [sizes_careful, sizes_or],
    "copy_rate": [copy_loop, copy_softmax],
    "explanation": ["C", " c) ", lambda: "c"],
    "our_block": [block_loop, block_numpy],
    "continuation": [write_cat, write_recursive],
    "shard_index": [shards_lists, shards_sums],
    "parallel_block": [Plain, Branches],
}

WRONG = {
    "logits": [
        (logits_no_norm, "The last norm is missing"),
        (logits_no_positions, "positions never come in"),
        (logits_twice, "come in more than once"),
        (logits_uncut, "takes the first T of them"),
        (logits_same_input, "Every block but the last is lost"),
        (logits_residual, "The block has done that already"),
        (lambda *a: logits_loop(*a)[0], "The shape is not the one"),
        (lambda *a: logits_loop(*a).softmax(-1), "Those are probabilities"),
    ],
    "moe_params": [
        (moe_no_router, "The router is missing"),
        (moe_two_matrices, "two matrices"),
        (moe_all_heads, "There are only K"),
        (moe_tied, "head is a second one"),
        (lambda c: moe_listed(c)[0], "returns one number"),
        (lambda c: moe_listed(c)[::-1], "are exchanged"),
        (lambda c: [*moe_listed(c), 1], "3 values; two numbers"),
    ],
    "by_size": [
        (["llama", "gpt2"], "Give each of the four names once"),
        (["gpt2", "llama", "qwen", "moe"], "You put GPT-2 before Llama"),
        (["llama", "qwen", "gpt2", "moe"], "You put Qwen before GPT-2"),
        (["qwen", "llama", "gpt2", "moe"], "Qwen before Llama"),
        (["gpt2", "qwen", "llama", "moe"], "You put"),
        (["llama", "moe", "gpt2", "qwen"], "every expert counts"),
        (["moe", "qwen", "gpt2", "llama"], "smallest first"),
        ([1, 2, 3, 4], "four names are asked for"),
        (["llama", "gpt2", "gpt2", "moe"], "each of the four names once"),
    ],
    "by_work": [
        (["llama", "gpt2", "qwen", "moe"], "That is the order of sizes"),
        (["moe", "llama", "gpt2", "qwen"], "The mixture works least"),
        (["llama", "gpt2", "moe", "qwen"], "You put GPT-2 before the mixture"),
        (["llama", "moe", "qwen", "gpt2"], "Qwen is the busiest"),
        (["llama"], "Give each of the four names once"),
    ],
    "layers_that_fit": [
        (lambda t, b, n: (n // 4 - t) // b, "weights only"),
        (lambda t, b, n: max(0, (n // 12 - t) // b), "12 bytes"),
        (lambda t, b, n: n // (16 * b), "outside the blocks"),
        (lambda t, b, n: max(0, -(-(n / 16 - t) // b)), "You round up"),
        (lambda t, b, n: (n // 16 - t) // b, "a negative number"),
        (lambda t, b, n: str(n), "returns a str; a number"),
    ],
    "sizes": [
        (sizes_broken, "All three bugs are still there"),
        (sizes_divided, "you do not read it"),
        (sizes_null, "A value of null arrives as None"),
        (sizes_tied, "silence means False"),
        (sizes_strict, "You demand keys"),
        (sizes_fewer, "Return the same five names"),
        (lambda config: list(config), "a list; a dictionary is asked for"),
    ],
    "copy_rate": [
        (copy_next, "You compare with the next token"),
        (lambda m, i: copy_loop(m, i) * i.numel(), "how many copies"),
        (lambda m, i: 1 - copy_loop(m, i), "does not copy"),
        (lambda m, i: copy_loop(m, i[:, -1:]), "smallest case"),
        (lambda m, i: m(i).argmax(-1) == i, "one number is asked for"),
    ],
    "explanation": [
        ("A", "drawn at random"),
        ("B", "the same attention"),
        ("D", "the same last norm"),
        ("E", "The answer is one letter"),
        (3, "a letter such as 'A'"),
    ],
    "our_block": [
        (block_unturned, "No matrix is turned"),
        (block_square, "attn.out.weight is not turned"),
        (block_qkv_unturned, "values' matrices are not turned"),
        (block_swapped, "Queries and keys are exchanged"),
        (block_masked, "It is no bias"),
        (block_unbiased, "Some of our names are missing"),
        (block_more, "names that our block does not have"),
        (lambda theirs: theirs["ln_1.bias"], "a dictionary is asked for"),
    ],
    "continuation": [
        (write_uncropped, "more tokens than it can take"),
        (write_newest, "only the newest token"),
        (write_on, "write on after the end token"),
        (write_all, "return the prompt as well"),
        (write_in_place, "changes its input"),
        (write_for_ever, "does its loop move on?"),
        (lambda *a: write_recursive(*a)[::-1], "smallest case"),
    ],
    "shard_index": [
        (shards_from_zero, "counted from 0"),
        (shards_growing, "how many there have been so far"),
        (shards_turned, "the wrong way round"),
        (shards_short, "a name is not as it should be"),
        (lambda s, n: shards_lists(s, n - 1), "exactly full"),
        (lambda s, n: shards_lists(s, n + 1), "smallest case"),
        (lambda s, n: shards_lists(s, n)["weight_map"], "are asked for"),
        (lambda s, n: shards_lists(s, 1), "a file of its own"),
    ],
    "parallel_block": [
        (Serial, "one layer after the other"),
        (Bare, "The layers read x itself"),
        (Blind, "neither mask nor cache"),
        (Shared, "share their scale"),
        (Uncalled, "last_norm gives no norm"),
        (Double, "more than one norm"),
        (lambda *parts: print, "hand over the class"),
    ],
}

for _name, _plants in gpt_beginners.MORE.items():
    WRONG[_name] += _plants
globals().update(held_to(check, RIGHT, WRONG))


def test_the_orders_are_those_of_the_models():
    """Both predictions, counted on the models themselves."""
    size, work = {}, {}
    for name in ("gpt2", "llama", "qwen", "moe"):
        model = build(f"tiny-{name}")
        c, size[name] = model.cfg, model.n_params
        work[name] = sum(
            p.numel()
            for key, p in model.named_parameters()
            if p.dim() > 1 and "positions" not in key
        )
        if name == "moe":
            resting = c.n_experts - c.top_k
            work[name] -= c.n_layers * resting * 3 * c.d_model * c.d_ff
    assert sorted(size, key=size.get) == check.by_size.reference()
    assert sorted(work, key=work.get) == check.by_work.reference()


@pytest.mark.parametrize("case", check.moe_params.cases)
def test_the_count_is_that_of_the_model(case):
    with torch.device("meta"):
        model = GPT(*case, moe_block)
    assert check.moe_params.reference(*case)[0] == model.n_params


def test_the_layer_loads_and_is_the_same_one():
    """The names of the exercise are those of the package, both ways."""
    block = gpt2_block(ModelConfig(256, d_model=8, n_heads=2), 0)
    state = check.our_block.reference(layer(8, 32))
    assert (
        str(block.load_state_dict(state)) == "<All keys matched successfully>"
    )
    assert set(state) == set(block.state_dict())


def test_a_parallel_block_makes_a_model():
    def recipe(c, layer):
        attn = Attention(c.d_model, c.n_heads, c.n_kv_heads, c.d_head)
        norm = functools.partial(LayerNorm, c.d_model)
        return Plain(attn, MLP(c.d_model, c.d_ff), norm)

    model = GPT(PRESETS["tiny-gpt2"].cfg, recipe)
    assert model(torch.zeros(2, 5, dtype=torch.long)).shape == (2, 5, 256)
