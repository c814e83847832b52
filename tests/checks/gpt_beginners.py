"""More wrong answers to chapter 6's exercises, as beginners write them.

Each was written from the untouched stub; `test_gpt_checks` asks what the check
says to it.
"""

import torch
from torch import nn


def logits(loop=None, start=None, end=None):
    def answer(ids, E, P, blocks, norm):
        x = start(ids, E, P) if start else E[ids] + P[: ids.shape[1]]
        for block in blocks:
            x = loop(x, block, norm) if loop else block(x)
        return end(x, E, norm) if end else norm(x) @ E.T

    return answer


def forget(x, block, norm):
    block(x)
    return x


def count(
    c, experts=None, rest=None, layers=None, extra=0, less=0, attn=None
):  # fmt: skip
    C, E = c.d_model, c.n_experts
    if attn is None:
        attn = 2 * C * c.d_head * (c.n_heads + c.n_kv_heads)
    expert = 3 * C * c.d_ff
    L = c.n_layers if layers is None else layers
    layer = attn + E * C + (experts or E) * expert + 2 * C
    tables = (2 - c.tie_embeddings) * c.vocab_size * C
    total = tables + L * layer + C + extra
    idle = (rest or L) * (E - c.top_k) * expert
    return total, total - idle - less


def sizes(kv=None, head=None, tied=None):
    """Three lines of the repaired function; None: the right one."""

    def answer(config):
        width, heads = config["hidden_size"], config["num_attention_heads"]
        return {
            "d_model": width,
            "n_heads": heads,
            "n_kv_heads": kv(config)
            if kv
            else config.get("num_key_value_heads") or heads,
            "d_head": head(config)
            if head
            else config.get("head_dim") or width // heads,
            "tie_embeddings": tied(config)
            if tied
            else config.get("tie_word_embeddings", False),
        }

    return answer


def kv_one(config):
    return config.get("num_key_value_heads", 1)


def kv_null(config):
    return config.get("num_key_value_heads", config["num_attention_heads"])


def head_divided(config):
    return config["hidden_size"] // config["num_attention_heads"]


def head_null(config):
    return config.get("head_dim", head_divided(config))


def tied_true(config):
    return config.get("tie_word_embeddings", True)


def hits(model, ids):
    return model(ids).argmax(-1) == ids


PLAIN = {
    "ln_1": "norm1", "ln_2": "norm2", "attn.c_proj": "attn.out",
    "mlp.c_fc": "ffn.up", "mlp.c_proj": "ffn.down",
}  # fmt: skip


def block(cut=None, cut_bias=None, turn=lambda name, p: p.T, names=PLAIN):
    """How a reader cuts c_attn, what is turned, and what is called what."""
    cut = cut or (lambda p: p.T.chunk(3))
    cut_bias = cut_bias or (lambda p: p.chunk(3))

    def answer(theirs):
        ours = {}
        for name, new in names.items():
            p = theirs[f"{name}.weight"]
            ours[f"{new}.weight"] = turn(new, p) if p.dim() == 2 else p
            ours[f"{new}.bias"] = theirs[f"{name}.bias"]
        weights = cut(theirs["attn.c_attn.weight"])
        biases = cut_bias(theirs["attn.c_attn.bias"])
        for x, weight, bias in zip("qkv", weights, biases, strict=False):
            ours |= {f"attn.{x}.weight": weight, f"attn.{x}.bias": bias}
        return ours

    return answer


def write(crop=None, pick=None, batch=None, keep_going=None, drop=False):
    def answer(model, ids, n, max_len, end):
        seen, new = list(ids), []
        for _ in range(n if keep_going is None else keep_going(n)):
            part = crop(seen, max_len) if crop else seen[-max_len:]
            x = batch(part) if batch else torch.tensor([part])
            scores = model(x)
            best = int(pick(scores) if pick else scores[0, -1].argmax())
            seen.append(best)
            if best == end and not drop:
                break
            if best != end:
                new.append(best)
        return new

    return answer


def write_all_at_once(model, ids, n, max_len, end):
    return model(torch.tensor([ids[-max_len:]]))[0, -n:].argmax(-1).tolist()


def write_until_full(model, ids, n, max_len, end):
    new = []
    while len(ids) + len(new) < max_len and len(new) < n:
        best = int(model(torch.tensor([ids + new]))[0, -1].argmax())
        if best == end:
            break
        new.append(best)
    return new


def write_cropping_itself(model, ids, n, max_len, end):
    seen = ids
    for _ in range(n):
        seen = seen[-max_len:]
        best = int(model(torch.tensor([seen]))[0, -1].argmax())
        if best == end:
            break
        seen = [*seen, best]
    return seen[len(ids) :]


def write_tail(model, ids, n, max_len, end):
    seen = list(ids)
    for _ in range(n):
        best = int(model(torch.tensor([seen[-max_len:]]))[0, -1].argmax())
        if best == end:
            break
        seen.append(best)
    return seen[-n:]


def shards(after=None, total=None, value=None):
    """after: what the count is set to when a file begins."""

    def answer(sizes, limit):
        n, held, places = 1, 0, {}
        for name, size in sizes.items():
            if held and held + size > limit:
                n, held = n + 1, after(held, size) if after else 0
            places[name] = n
            held += size
        names = {
            name: f"model-{place:05}-of-{n:05}.safetensors"
            for name, place in places.items()
        }
        if value:
            names = {name: value(file) for name, file in names.items()}
        whole = sum(sizes.values())
        whole = total(sizes) if total else {"total_size": whole}
        return {"metadata": whole, "weight_map": names}

    return answer


def shards_first_fit(sizes, limit):
    files = []
    for name, size in sizes.items():
        for file in files:
            if sum(sizes[x] for x in file) + size <= limit:
                file.append(name)
                break
        else:
            files.append([name])
    return {
        "metadata": {"total_size": sum(sizes.values())},
        "weight_map": {
            name: f"model-{i:05}-of-{len(files):05}.safetensors"
            for i, file in enumerate(files, 1)
            for name in file
        },
    }


class Right(nn.Module):
    def __init__(self, attn, ffn, norm):
        super().__init__()
        self.attn, self.ffn, self.norm = attn, ffn, norm()
        self.new_norm = norm

    def forward(self, x, mask=None, cache=None):
        y = self.norm(x)
        return self.add(x, y, self.attn(y, mask, cache))

    def add(self, x, y, looked):
        return x + looked + self.ffn(y)

    def last_norm(self):
        return self.new_norm()


class Chain(Right):
    def add(self, x, y, looked):
        return x + self.ffn(looked)


class Post(Right):
    def forward(self, x, mask=None, cache=None):
        return self.norm(x + self.attn(x, mask, cache) + self.ffn(x))


class PreAndPost(Right):
    def add(self, x, y, looked):
        return self.norm(x + looked + self.ffn(y))


class AddsInPlace(Right):
    def add(self, x, y, looked):
        x += looked
        x += self.ffn(y)
        return x


class Exchanged(Right):
    def forward(self, x, mask=None, cache=None):
        return super().forward(x, cache, mask)


class OtherHalf(Right):
    def forward(self, x, mask=None, cache=None):
        return self.add(x, self.norm(x), self.attn(x, mask, cache))


class NoAttention(Right):
    def forward(self, x, mask=None, cache=None):
        return x + self.ffn(self.norm(x))


class MaskForBoth(Right):
    def forward(self, x, mask=None, cache=None):
        y = self.norm(x)
        return x + self.attn(y, mask, cache) + self.ffn(y, mask, cache)


class PlainList(nn.Module):
    def __init__(self, attn, ffn, norm):
        super().__init__()
        self.layers, self.norm, self.make = [attn, ffn], norm(), norm

    def forward(self, x, mask=None, cache=None):
        y = self.norm(x)
        return x + self.layers[0](y, mask, cache) + self.layers[1](y)

    def last_norm(self):
        return self.make()


class Uncalled(Right):
    def last_norm(self):
        return self.new_norm


class Foreign(Right):
    def last_norm(self):
        return type(self.norm)()


MORE = {
    "logits": [
        (logits(loop=forget), "What the blocks return is lost"),
        (logits(lambda x, b, norm: b(norm(x))), "what a block reads"),
        (logits(end=lambda x, E, norm: norm(x @ E.T)), "normalize the scores"),
        (
            logits(end=lambda x, E, norm: (norm(x) @ E.T).log_softmax(-1)),
            "logarithms of probabilities",
        ),
        (logits(start=lambda i, E, P: E[i] + P[i]), "rows of P by token id"),
        (logits(start=lambda i, E, P: E[i] + P[: len(i)]), "number of texts"),
        (logits(start=lambda i, E, P: E[i] + P[i.shape[1]]), "a single row"),
    ],
    "moe_params": [
        (lambda c: count(c, rest=1), "Experts rest in every layer"),
        (lambda c: count(c, layers=1), "You count one layer"),
        (lambda c: count(c, attn=4 * c.d_model**2), "four square matrices"),
        (
            lambda c: count(
                c,
                attn=c.d_model * c.d_head * (c.n_heads + 2 * c.n_kv_heads),
            ),
            "the one that joins the heads",
        ),
        (lambda c: count(c, extra=c.max_len * c.d_model), "takes no param"),
        (lambda c: count(c)[1:] * 2, "Both numbers are what a token meets"),
        (
            lambda c: count(c, less=c.n_layers * c.n_experts * c.d_model),
            "meets the router too",
        ),
        (
            lambda c: count(
                c, less=(2 - c.tie_embeddings) * c.vocab_size * c.d_model
            ),
            "the tables stay",
        ),
        (lambda c: dict(total=count(c)[0]), "a dict; two numbers"),
    ],
    "layers_that_fit": [
        (lambda t, b, n: max(0, (n - t) // (16 * b)), "as if it were bytes"),
        (lambda t, b, n: max(0, n // 16 - t // b), "in parentheses"),
        (lambda t, b, n: max(0, (n - t) // b), "compare bytes with param"),
        (lambda t, b, n: max(0, (n - 4 * t) // (16 * b)), "All of them are"),
    ],
    "sizes": [
        (sizes(kv_one, None, tied_true), "head_dim is read now"),
        (sizes(None, head_divided, tied_true), "heads are right now"),
        (sizes(kv_one, head_divided), "embeddings are right now"),
        (sizes(kv_one), "num_key_value_heads is not right yet"),
        (sizes(kv_null), "num_key_value_heads can be null"),
        (sizes(head=head_null), "head_dim can be null"),
        (sizes(tied=lambda c: c.get("tie_word_embeddings")), "Say what it"),
        (sizes(tied=lambda c: False), "A file may say true"),
        (
            sizes(tied=lambda c: c.get("tie_word_embeddings") or True),
            "throws its False away",
        ),
    ],
    "copy_rate": [
        (lambda m, i: hits(m, i)[:, :-1].float().mean(), "leave out the last"),
        (lambda m, i: 100 * hits(m, i).float().mean(), "a percentage"),
        (lambda m, i: hits(m, i).sum() / len(i), "copies in a text"),
        (lambda m, i: hits(m, i).sum() / i.shape[1], "length of one text"),
    ],
    "our_block": [
        (block(lambda p: p.chunk(3)), "another shape than (C, C)"),
        (block(lambda p: [x.T for x in p.split(2, -1)]), "another shape than"),
        (block(cut_bias=lambda p: [p, p, p]), "or their biases than"),
        (
            block(
                lambda p: [p[:, k::3].T for k in range(3)],
                lambda p: [p[k::3] for k in range(3)],
            ),
            "every third column",
        ),
        (
            block(
                lambda p: [p.T.chunk(3)[k] for k in (0, 2, 1)],
                lambda p: [p.chunk(3)[k] for k in (0, 2, 1)],
            ),
            "in another order",
        ),
        (
            block(names=PLAIN | {"ln_1": "norm2", "ln_2": "norm1"}),
            "norm1 and norm2 are exchanged",
        ),
        (
            block(
                names=PLAIN | {"mlp.c_fc": "ffn.down", "mlp.c_proj": "ffn.up"}
            ),
            "up and down are exchanged",
        ),
        (
            block(turn=lambda name, p: p if name == "ffn.up" else p.T),
            "others are not",
        ),
    ],
    "continuation": [
        (write(batch=torch.tensor), "give a batch of one text"),
        (write(batch=lambda part: [part]), "a list: give a tensor"),
        (write(pick=lambda scores: scores.argmax()), "all positions at once"),
        (write(pick=lambda scores: scores[-1].argmax()), "positions at once"),
        (write(pick=lambda scores: scores[0, 0].argmax()), "first position"),
        (write(keep_going=lambda n: n - 1), "one token too few"),
        (write(drop=True), "leave the end token out and write on"),
        (write_all_at_once, "One pass gives one new token"),
        (write_until_full, "It may grow longer"),
        (write_cropping_itself, "Crop a copy"),
        (write_tail, "some of them are of the prompt"),
    ],
    "shard_index": [
        (shards(lambda held, size: held), "Set the count back to 0"),
        (shards(lambda held, size: size), "is counted twice"),
        (shards_first_fit, "Keep the order"),
        (shards(total=lambda s: sum(s.values())), "under 'metadata'"),
        (shards(total=lambda s: {"total_size": max(s.values())}), "is off"),
        (shards(value=lambda file: [file]), "smallest case"),
    ],
    "parallel_block": [
        (Chain, "reads what attention returns"),
        (Post, "You normalize the sum. In this wiring"),
        (PreAndPost, "You normalize the sum as well"),
        (AddsInPlace, "You add into x itself"),
        (Exchanged, "the cache as its mask"),
        (OtherHalf, "attention reads x itself"),
        (NoAttention, "Attention is never called"),
        (MaskForBoth, "takes 2 positional arguments"),
        (PlainList, "not in a plain list"),
        (Uncalled, "Call what you have kept"),
        (Foreign, "has made"),
        (Right(None, None, nn.Identity), "hand over the class itself"),
    ],
}  # fmt: skip
