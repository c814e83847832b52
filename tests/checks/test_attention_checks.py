"""Chapter 3's checks: right answers in two forms, and planted wrong ones.

The answers are written as readers write them, not with the checks' own code.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from held import held_to

from llm_utils.checks import attention as check

INF = float("inf")

# -- 1: document_mask


def mask_loop(docs):
    T = len(docs)
    return [[s <= t and bool(docs[s] == docs[t]) for s in range(T)]
            for t in range(T)]  # fmt: skip


def mask_tril(docs):
    return torch.tril((docs[None] == docs[:, None]).int())


def mask_bias(docs):
    mask = torch.tensor(mask_loop(docs))
    return torch.zeros(mask.shape).masked_fill(~mask, -INF)


def mask_neighbors(docs):
    mask = torch.eye(len(docs)).bool()
    for t in range(1, len(docs)):
        mask[t, t - 1] = docs[t] == docs[t - 1]
    return mask


def mask_of(docs):
    return torch.tensor(mask_loop(docs))


# -- 3: attention


def attention_sdpa(q, k, v, mask):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def attention_loop(q, k, v, mask):
    rows = []
    for t in range(len(q)):
        seen = [s for s in range(len(k)) if mask[t, s]]
        es = [math.exp(q[t] @ k[s] / len(q[t]) ** 0.5) for s in seen]
        rows.append(sum(e * v[s] for e, s in zip(es, seen, strict=True))
                    / sum(es))  # fmt: skip
    return torch.stack(rows)


def attention_einsum(q, k, v, mask):
    scores = torch.einsum("qd,kd->qk", q, k) * q.shape[-1] ** -0.5
    scores[~mask] = -1e9
    return torch.einsum("qk,kn->qn", torch.softmax(scores, 1), v)


def attention_with(scale, dim=1, hidden=-INF):
    def attention(q, k, v, mask):
        scores = q @ k.T * scale(q, k, v)
        return scores.masked_fill(~mask, hidden).softmax(dim) @ v

    return attention


def root(q, k, v):
    return q.shape[1] ** -0.5


def attention_late(q, k, v, mask):
    return (q @ k.T * root(q, k, v)).softmax(-1) * mask @ v


def attention_scaled_late(q, k, v, mask):
    scores = (q @ k.T).masked_fill(~mask, -INF)
    return scores.softmax(-1) / q.shape[1] ** 0.5 @ v


def attention_linear(q, k, v, mask):
    return (q @ k.T * root(q, k, v) * mask) @ v


def attention_forgets_the_fill(q, k, v, mask):
    scores = q @ k.T * root(q, k, v)
    scores.masked_fill(~mask, -INF)
    return scores.softmax(-1) @ v


def attention_of_keys(q, k, v, mask):
    scores = k @ q.T * root(q, k, v)
    return scores.masked_fill(~mask, -INF).softmax(-1) @ v


def attention_not_divided(q, k, v, mask):
    scores = q @ k.T * root(q, k, v)
    return scores.masked_fill(~mask, -INF).exp() @ v


def attention_only_weights(q, k, v, mask):
    scores = q @ k.T * root(q, k, v)
    return scores.masked_fill(~mask, -INF).softmax(-1)


def attention_transposed(q, k, v, mask):
    return attention_sdpa(q, k, v, mask).T


# -- 4 and 5: split_heads, share_heads


def split_chunks(x, n_heads):
    return torch.stack(x.chunk(n_heads, dim=-1), dim=1)


def split_permute(x, n_heads):
    B, T = x.shape[:2]
    return x.reshape(B, T, n_heads, -1).permute(0, 2, 1, 3)


def split_view(x, n_heads):
    B, T, C = x.shape
    return x.view(B, n_heads, T, C // n_heads)


def split_strided(x, n_heads):
    return torch.stack([x[..., h::n_heads] for h in range(n_heads)], dim=1)


def share_loop(k, n_heads):
    each = n_heads // k.shape[1]
    return torch.stack([k[:, h // each] for h in range(n_heads)], dim=1)


def share_expand(k, n_heads):
    B, K, S, D = k.shape
    groups = k[:, :, None].expand(B, K, n_heads // K, S, D)
    return groups.reshape(B, n_heads, S, D)


def share_tiled(k, n_heads):
    return torch.cat([k] * (n_heads // k.shape[1]), dim=1)


def share_mixed(k, n_heads):
    B, K, S, D = k.shape
    wide = torch.cat([k] * (n_heads // K), dim=-1)
    return wide.reshape(B, n_heads, S, D)


def share_dim(dim):
    def share(k, n_heads):
        return k.repeat_interleave(n_heads // k.shape[1], dim)

    return share


# -- 6: entropy


def entropy_loop(w):
    rows = [
        -sum(x * math.log(x) for x in row if x > 0)
        for row in w.reshape(-1, w.shape[-1]).tolist()
    ]
    return torch.tensor(rows).view(w.shape[:-1])


def entropy_clamped(w):
    return -(w * w.clamp(min=1e-12).log()).sum(-1)


def entropy_numpy(w):
    w = np.asarray(w)
    return -np.where(w > 0, w * np.log(np.where(w > 0, w, 1)), 0).sum(-1)


def entropy_nan(w):
    return -(w * w.log()).sum(-1)


# -- 7: attention_flops


def flops_matrices(T, C, H, K, D):
    sizes = [(T, C, H * D), (T, C, K * D), (T, C, K * D), (T, H * D, C)]
    sizes += [(T, D, T), (T, T, D)] * H
    return sum(2 * m * n * p for m, n, p in sizes)


def flops_sum(T, C, H, K, D):
    return 4.0 * T * D * (C * (H + K) + T * H)


def flops_no_groups(T, C, H, K, D):
    return flops_matrices(T, C, H, H, D)


def flops_one_product(T, C, H, K, D):
    return flops_matrices(T, C, H, K, D) - 2 * H * T * D * T


def flops_no_output(T, C, H, K, D):
    return flops_matrices(T, C, H, K, D) - 2 * T * H * D * C


def flops_shared_scores(T, C, H, K, D):
    return 4 * T * C * D * (H + K) + 4 * K * T * T * D


def flops_square_forgotten(T, C, H, K, D):
    return 4 * T * C * D * (H + K) + 4 * H * T * D


# -- 8: merge


def merge_max(left, right):
    """As FlashAttention has it: the larger one taken off first."""
    (a, la), (b, lb) = left, right
    m = torch.maximum(la, lb)
    wa, wb = torch.exp(la - m), torch.exp(lb - m)
    out = (a * wa[:, None] + b * wb[:, None]) / (wa + wb)[:, None]
    return out, m + torch.log(wa + wb)


def merge_sigmoid(left, right):
    (a, la), (b, lb) = left, right
    share = torch.sigmoid(la - lb)[:, None]
    return [share * a + (1 - share) * b, torch.stack([la, lb]).logsumexp(0)]


def merge_with(shares, lse=torch.logaddexp):
    def merge(left, right):
        (a, la), (b, lb) = left, right
        wa, wb = shares(la, lb)
        return wa[:, None] * a + wb[:, None] * b, lse(la, lb)

    return merge


def right_shares(la, lb):
    return torch.stack([la, lb]).softmax(0)


def linear_shares(la, lb):
    return la / (la + lb), lb / (la + lb)


def undivided_shares(la, lb):
    m = torch.maximum(la, lb)
    return (la - m).exp(), (lb - m).exp()


def plain_shares(la, lb):
    return la.exp() / (la.exp() + lb.exp()), lb.exp() / (la.exp() + lb.exp())


def merge_plain(left, right):
    (a, la), (b, lb) = left, right
    wa, wb = plain_shares(la, lb)
    return wa[:, None] * a + wb[:, None] * b, (la.exp() + lb.exp()).log()


def lowered(la, lb):
    """The logarithm of the sum without the maximum that was taken off."""
    return sum(undivided_shares(la, lb)).log()


def merge_winner(left, right):
    (a, la), (b, lb) = left, right
    return torch.where((la > lb)[:, None], a, b), torch.maximum(la, lb)


def merge_flat(left, right):
    (a, la), (b, lb) = left, right
    wa, wb = right_shares(la, lb)
    return wa * a + wb * b, torch.logaddexp(la, lb)


def merge_smaller(left, right):
    """The smaller one taken off first."""
    (a, la), (b, lb) = left, right
    m = torch.minimum(la, lb)
    wa, wb = torch.exp(la - m), torch.exp(lb - m)
    out = (a * wa[:, None] + b * wb[:, None]) / (wa + wb)[:, None]
    return out, m + torch.log(wa + wb)


# -- 9: induction


def induction_with(
    step=-1, strict=(60, 60), v1="token", q2="token", k2="before", v2="token"
):
    """The two heads with their parts as knobs."""

    def induction(V, T):
        parts = dict(
            token=torch.eye(2 * V + T, V),
            place=torch.zeros(2 * V + T, T),
            before=torch.zeros(2 * V + T, V),
        )
        parts["place"][V : V + T] = torch.eye(T)
        parts["before"][V + T :] = torch.eye(V)
        move = torch.diag(torch.ones(T - abs(step)), step)
        q1 = strict[0] * parts["place"] @ move
        q2_matrix = strict[1] * parts[q2]
        return (q1, parts["place"], parts[v1],
                q2_matrix, parts[k2], parts[v2])  # fmt: skip

    return induction


def induction_turned(V, T):
    """Another basis, other scales, a dictionary: as right as the first."""
    q1, k1, v1, q2, k2, v2 = induction_with(strict=(9, 11))(V, T)
    rng = torch.Generator().manual_seed(1)
    turn = torch.linalg.qr(torch.randn(T, T, generator=rng))[0]
    return {
        "q1": q1 @ turn, "k1": 9 * k1 @ turn, "v1": 2 * v1,
        "q2": q2, "k2": 4 * k2, "v2": 7 * v2,
    }  # fmt: skip


def induction_loops(V, T):
    C = 2 * V + T
    q1, k1 = torch.zeros(C, T), torch.zeros(C, T)
    v1, q2, k2, v2 = (torch.zeros(C, V) for _ in range(4))
    for t in range(T):
        k1[V + t, t] = 100
        if t:
            q1[V + t, t - 1] = 1
    for i in range(V):
        v1[i, i] = q2[i, i] = v2[i, i] = 1
        k2[V + T + i, i] = 100
    return [q1, k1, v1, q2, k2, v2]


def induction_of_places(V, T):
    """Head 2 writes nothing that names a token."""
    *rest, v2 = induction_with()(V, T)
    return [*rest, torch.zeros_like(v2)]


def induction_by_place(V, T):
    """Head 2 looks one step back, as head 1 does."""
    q1, k1, v1, *_, v2 = induction_with()(V, T)
    return q1, k1, v1, q1, k1, v2


RIGHT = {
    "document_mask": [mask_loop, mask_tril, mask_of],
    "lookups": [[5, 4, 6, 8], lambda: (5.0, 4.0, 6.0, 8.0)],
    "attention": [attention_sdpa, attention_loop, attention_einsum],
    "split_heads": [split_chunks, split_permute],
    "share_heads": [share_loop, share_expand],
    "entropy": [entropy_loop, entropy_clamped, entropy_numpy],
    "explanation": ["B", lambda: "b."],
    "attention_flops": [flops_matrices, flops_sum],
    "merge": [merge_max, merge_sigmoid, merge_with(right_shares)],
    "induction": [induction_with(), induction_turned, induction_loops],
}

WRONG = {
    "document_mask": [
        (lambda docs: docs[:, None] == docs, "also those that come later"),
        (
            lambda docs: torch.ones(len(docs), len(docs)).tril(),
            "into the documents before its own",
        ),
        (lambda docs: mask_of(docs).T, "Rows and columns are swapped"),
        (lambda docs: ~mask_of(docs), "Inverted"),
        (lambda docs: mask_of(docs).tril(-1), "may look at itself"),
        (mask_bias, "what is added to the scores"),
        (mask_neighbors, "compare neighbors only"),
        (lambda docs: mask_of(docs)[0], "The shape is not (T, T)"),
        (lambda docs: mask_of(docs)[None, None], "The shape is not (T, T)"),
        (
            lambda docs: (docs[:, None] == docs) | mask_of(0 * docs),
            "joined by 'or'",
        ),
        (
            lambda docs: (docs[:, None] >= docs).tril(),
            "Earlier documents are let in",
        ),
        (lambda docs: mask_of(docs).int() + 1, "smallest case where yours"),
        (lambda docs: "mask", "returns a str"),
    ],
    "lookups": [
        ([5, 4, 6], "exactly four"),
        ([6, 4, 7.3, 8], "A without the scale"),
        ([4.49, 4, 5, 8], "A scaled by d = 4"),
        ([8, 4, 8, 8], "the best key does not win alone"),
        ([5, 0, 6, 8], "a score of 0 is not a weight of 0"),
        ([7, 4, 6, 8], "A is not right"),
        ([5, 12, 6, 8], "B is not right"),
        ([5, 4, 10, 8], "C is not right"),
        ([5, 4, 6, 4], "D is not right"),
    ],
    "attention": [
        (attention_with(lambda q, k, v: 1 / q.shape[1]), "scaled by d, not by"),
        (attention_with(lambda q, k, v: 1), "You do not scale"),
        (attention_with(lambda q, k, v: q.shape[1] ** 0.5), "You multiply by"),
        (attention_with(lambda q, k, v: v.shape[1] ** -0.5), "size of the val"),
        (
            attention_with(lambda q, k, v: len(k) ** -0.5),
            "by the number of key",
        ),
        (
            attention_with(lambda q, k, v: len(q) ** -0.5),
            "by the number of queries",
        ),
        (attention_scaled_late, "after the softmax. It has to come before"),
        (attention_with(root, dim=0), "Your softmax runs over the queries"),
        (attention_late, "You mask after the softmax"),
        (attention_with(root, hidden=0), "You put 0 into the masked scores"),
        (lambda q, k, v, m: attention_sdpa(q, k, v, ~m), "mask is inverted"),
        (
            lambda q, k, v, m: attention_sdpa(q, k, v, torch.ones_like(m)),
            "You do not use the mask",
        ),
        (attention_forgets_the_fill, "masked_fill returns a new tensor"),
        (
            lambda q, k, v, m: attention_sdpa(q, k, v, m.to(q.dtype)),
            "add the mask as ones and zeros",
        ),
        (
            lambda q, k, v, m: F.scaled_dot_product_attention(
                q, k, v, is_causal=True
            ),
            "a causal mask of your own",
        ),
        (attention_of_keys, "Your scores are k @ q.T"),
        (attention_not_divided, "and do not divide"),
        (attention_linear, "There is no softmax"),
        (attention_only_weights, "Those are the weights"),
        (attention_transposed, "smallest case where yours"),
    ],
    "split_heads": [
        (split_view, "You still cut the flat row"),
        (lambda x, n: x.view(*x.shape[:2], n, -1), "the axes are (B, T, H, D)"),
        (split_strided, "every H-th number"),
        (lambda x, n: split_chunks(x, n).mT, "One transpose too many"),
        (lambda x, n: split_chunks(x, n).flatten(0, 1), "are one axis"),
        (lambda x, n: x.chunk(n, -1)[0], "The shape is not (B, H, T, D)"),
        (lambda x, n: torch.stack(x.chunk(n, -1)), "The shape is not"),
        (lambda x, n: split_chunks(x, n).flip(1), "smallest case where yours"),
    ],
    "share_heads": [
        (share_tiled, "0 1 0 1"),
        (share_dim(2), "You repeat along the keys"),
        (share_dim(3), "along the last axis"),
        (lambda k, n: k.repeat_interleave(n, 1), "each head H times"),
        (share_mixed, "a reshape has mixed"),
        (lambda k, n: k, "The shape is not (B, H, S, D)"),
        (
            lambda k, n: k.repeat_interleave(n // k.shape[1]),
            "without a dim",
        ),
        (lambda k, n: k.repeat_interleave(k.shape[1], 1), "K times, and"),
        (lambda k, n: share_loop(k, n) + 1, "smallest case where yours"),
    ],
    "entropy": [
        (entropy_nan, "A weight of 0 gives NaN"),
        (lambda w: -entropy_loop(w), "The sign is turned"),
        (lambda w: entropy_loop(w) / math.log(2), "in bits"),
        (lambda w: -(w * w.log2()).sum(-1), "in bits, with the logarithm"),
        (lambda w: torch.special.entr(w), "There is no sum yet"),
        (
            lambda w: torch.special.entr(w).sum(-1, keepdim=True),
            "an axis of size 1 is left over",
        ),
        (lambda w: torch.special.entr(w).mean(-1), "mean over the keys"),
        (lambda w: torch.special.entr(w).sum(-2), "sum over the queries"),
        (lambda w: entropy_loop(w).sum(), "You add up all queries"),
        (lambda w: entropy_loop(w).mean(), "mean over all queries"),
        (lambda w: entropy_loop(w.softmax(-1)), "a softmax of the weights"),
        (lambda w: w.amax(-1), "smallest case where yours"),
    ],
    "explanation": [
        ("A", "the number of keys is the same"),
        ("C", "a float holds numbers of this size"),
        ("D", "D can be tried"),
        ("BB", "The answer is one letter"),
    ],
    "attention_flops": [
        (lambda *sizes: flops_matrices(*sizes) // 2, "multiplications only"),
        (flops_one_product, "You have one"),
        (
            lambda T, C, H, K, D: 8 * T * C * C + 4 * T * T * C,
            "is the count for K = H",
        ),
        (
            lambda T, C, H, K, D: 4 * T * C * D * (H + K) + 4 * T * T * D,
            "Each of the H query heads computes its own",
        ),
        (
            lambda T, C, H, K, D: 4 * T * C * D * (H + K) + 4 * H * T * T * C,
            "the vectors have D numbers",
        ),
        (
            lambda T, C, H, K, D: (
                2 * T * C * D * (2 * H + K) + 4 * H * T * T * D
            ),
            "One of the four maps is missing",
        ),
        (flops_no_groups, "Keys and values have K heads"),
        (flops_shared_scores, "You share the scores, too"),
        (flops_no_output, "The output map is missing"),
        (
            lambda T, C, H, K, D: 4 * T * C * D * (H + K),
            "the square of T is missing",
        ),
        (lambda T, C, H, K, D: 4 * T * T * H * D, "The four maps are missing"),
        (flops_square_forgotten, "Every query meets every key"),
        (lambda T, C, H, K, D: T, "smallest case where yours"),
    ],
    "merge": [
        (
            merge_with(lambda la, lb: (0 * la + 0.5, 0 * la + 0.5)),
            "plain mean of both",
        ),
        (
            merge_with(lambda la, lb: (0 * la + 1, 0 * la + 1)),
            "add the outputs",
        ),
        (merge_with(linear_shares), "You weight with lse itself"),
        (merge_with(lambda la, lb: right_shares(lb, la)), "swapped"),
        (merge_with(undivided_shares), "right but for their sum"),
        (merge_plain, "exp(300) is infinite"),
        (merge_with(plain_shares), "exp(300) is infinite"),
        (merge_with(right_shares, torch.maximum), "the lse of both is no max"),
        (merge_with(right_shares, torch.add), "logarithms of sums do not add"),
        (merge_with(right_shares, lowered), "lacks the maximum"),
        (merge_winner, "takes all"),
        (merge_flat, "share[:, None]"),
        (
            lambda left, right: merge_max(left, right)[::-1],
            "out and lse have changed places",
        ),
        (merge_smaller, "take the larger lse off"),
        (lambda left, right: merge_max(left, right)[0], "a pair (out, lse)"),
    ],
    "induction": [
        (induction_with(step=0), "looks at its own position"),
        (induction_with(step=1), "Head 1 is turned round"),
        (induction_with(strict=(1, 60)), "Head 1 does not settle"),
        (induction_with(v1="before"), "not write which token"),
        (induction_with(v2="before"), "head 2 copies the token before"),
        (induction_of_places, "what head 2 writes names no token"),
        (induction_by_place, "Head 2 does what head 1 did"),
        (induction_with(k2="token"), "Head 2 finds the token that was just"),
        (induction_with(q2="before", k2="token"), "of head 2 are swapped"),
        (induction_with(q2="before"), "compares the token before with"),
        (induction_with(strict=(60, 2)), "Head 2 does not settle"),
        (lambda V, T: induction_with()(V, T)[:4], "than six matrices"),
        (
            lambda V, T: [m.T for m in induction_with()(V, T)],
            "any size) is asked for",
        ),
    ],
}

globals().update(held_to(check, RIGHT, WRONG))
