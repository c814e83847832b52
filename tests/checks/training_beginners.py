"""More wrong answers to chapter 8's exercises, as beginners write them.

Each was written from the untouched stub; `test_training_checks` asks what the
check says to it.
"""

import copy
import math

import torch
from torch.nn import functional as F

from llm_utils.text.next_token import next_token_loss
from llm_utils.train.optim import clip_grad_norm

PAD = -100


def names(keep):
    def answer(model):
        return [name for name, p in model.named_parameters() if keep(name, p)]

    return answer


def step(correct=(True, True), pull="old", guard="out", keep=False, sign=1,
         g_for_m=False, t_from=0):  # fmt: skip
    """AdamW as readers write it, with one line that is their own."""

    def answer(w, g, m, v, t, lr, b1, b2, eps, decay):
        if pull == "gradient":
            g = g + decay * w
        m, v = m * b1 + g * (1 - b1), v * b2 + g**2 * (1 - b2)
        t = t - t_from
        mean = m / (1 - b1**t) if correct[0] else m
        square = v / (1 - b2**t) if correct[1] else v
        if guard == "in":
            step = mean / torch.sqrt(square + eps)
        else:
            step = (g if g_for_m else mean) / (torch.sqrt(square) + eps)
        if pull == "old":
            w = w - lr * decay * w
        if pull == "whole":
            w = w - decay * w
        w = w - sign * lr * step
        if pull == "new":
            w = w - lr * decay * w
        return (w, mean, square) if keep else (w, m, v)

    return answer


def step_in_place(w, g, m, v, t, lr, b1, b2, eps, decay):
    m.mul_(b1).add_(g, alpha=1 - b1)
    v.mul_(b2).addcmul_(g, g, value=1 - b2)
    w.mul_(1 - lr * decay)
    size = (v / (1 - b2**t)).sqrt() + eps
    return w - lr * m / (1 - b1**t) / size, m, v


def rate(up=None, down=None, first=None, after=0.0):
    """The three parts of the schedule, one of them the reader's own."""

    def answer(step, peak, steps, warmup, decay):
        begin = steps - decay if first is None else first(steps, warmup, decay)
        if step >= steps:
            return peak * after
        if step < warmup:
            share = (step + 1) / (warmup + 1)
            return peak * (up(step, warmup) if up else share)
        done = (step - begin) / (steps - begin) if step > begin else 0
        return peak * (down(done) if down else 1 - done**0.5)

    return answer


def rate_divides(step, peak, steps, warmup, decay):
    if step >= steps:
        return 0.0
    done = max(0, (step - (steps - decay)) / decay)
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    return peak * (1 - done**0.5)


def clip(norm, small=False, factor=None):
    def answer(grads, most):
        size = norm(grads)
        if size > most or small:
            scale = factor(size, most) if factor else most / size
            return [g * scale for g in grads]
        return grads

    return answer


def clip_loop(grads, most):
    new = []
    for g in grads:
        norm = torch.linalg.vector_norm(g)
        new.append(g / norm * most if norm > most else g)
    return new


def clip_in_place(grads, most):
    norm = torch.cat([g.flatten() for g in grads]).norm()
    for g in grads:
        g *= min(1, most / (norm + 1e-6))
    return grads


def whole(grads):
    return torch.cat([g.flatten() for g in grads]).norm().item()


def parts_mean(model, parts):
    total = 0
    for x, y in parts:
        loss = next_token_loss(model(x), y) / len(parts)
        loss.backward()
        total += loss.item()
    return total


def parts_plain(model, parts):
    total = 0
    for x, y in parts:
        loss = next_token_loss(model(x), y)
        loss.backward()
        total += loss.item()
    return total / len(parts)


def parts_weighted(model, parts):
    n = sum((y != PAD).sum() for _, y in parts)
    total = 0
    for x, y in parts:
        loss = next_token_loss(model(x), y) * (y != PAD).sum() / n
        loss.backward()
        total += loss.item()
    return total


def sums(divide, zero=False, give=None):
    def answer(model, parts):
        total = 0.0
        for x, y in parts:
            if zero:
                model.zero_grad()
            logits = model(x)
            loss = F.cross_entropy(
                logits.view(-1, 3), y.reshape(-1), reduction="sum"
            )
            loss = loss / divide(parts, y)
            loss.backward()
            total += loss.item()
        return give(loss.item(), total, parts) if give else total

    return answer


def targets(parts, y):
    return sum((y != PAD).sum() for _, y in parts)


def parts_stacked(model, parts):
    x = torch.cat([x for x, _ in parts])
    y = torch.cat([y for _, y in parts])
    loss = next_token_loss(model(x), y)
    loss.backward()
    return loss


def parts_late(model, parts):
    losses = [
        F.cross_entropy(model(x).view(-1, 3), y.reshape(-1), reduction="sum")
        for x, y in parts
    ]
    loss = torch.stack(losses).sum() / targets(parts, None)
    loss.backward()
    return loss.item()


def parts_no_backward(model, parts):
    nats = [
        F.cross_entropy(model(x).view(-1, 3), y.reshape(-1), reduction="sum")
        for x, y in parts
    ]
    return (sum(nats) / targets(parts, None)).item()


def parts_and_a_step(model, parts):
    loss = sums(targets)(model, parts)
    torch.optim.SGD(model.parameters(), 0.1).step()
    return loss


def fit(zero="first", clip="before", train=True, plain=True, evaluate=True):
    """The loop as readers repair it, one line after the other."""

    def answer(model, batches, held_out, opt, every):
        losses, curve = [], []
        model.train()
        for i in range(len(batches)):
            x, y = batches[i]
            if zero == "first":
                opt.zero_grad()
            loss = next_token_loss(model(x), y)
            if clip == "first":
                clip_grad_norm(model.parameters(), 1.0)
            loss.backward()
            if zero == "middle":
                opt.zero_grad()
                for p in model.parameters():
                    p.grad = torch.zeros_like(p)
            if clip == "before":
                clip_grad_norm(model.parameters(), 1.0)
            opt.step()
            if clip == "after":
                clip_grad_norm(model.parameters(), 1.0)
            if zero == "last":
                opt.zero_grad()
            losses.append(loss.item() if plain else loss)
            if (i + 1) % every == 0:
                if evaluate:
                    model.eval()
                with torch.no_grad():
                    loss = next_token_loss(model(held_out[0]), held_out[1])
                curve.append(loss.item())
                if train:
                    model.train()
        return sum(losses) / len(losses), curve

    return answer


def first(window, test=None, shift=0, never=0):
    """A search for the first window of losses below the floor."""

    def answer(losses, floor, width):
        for i in range(len(losses)):
            part = window(losses, i, width)
            if part and (
                test(part, floor) if test else sum(part) / len(part) < floor
            ):
                return i + 1 + shift
        return never

    return answer


def full(losses, i, width):
    return losses[i - width + 1 : i + 1] if i + 1 >= width else None


def disk(*calls):
    """A save that makes these calls; "draft" and "name" are names."""

    def answer(disk, name, text):
        known = {"draft": name + ".tmp", "name": name, "old": name + ".old"}
        for call in calls:
            what, *files = call.split()
            args = [known[x] for x in files]
            getattr(disk, what)(*args, *([text] if what == "write" else []))

    return answer


def part(run, without=(), deep=copy.deepcopy, **other):
    saved = {
        "model": run.model.state_dict(),
        "opt": run.opt.state_dict(),
        "order": run.order.get_state(),
        "noise": run.noise.get_state(),
        "step": run.step,
        **other,
    }
    return deep({k: x for k, x in saved.items() if k not in without})


def clone_model(run):
    weights = {k: x.clone() for k, x in run.model.state_dict().items()}
    return part(run, deep=dict, model=weights)


def clone_opt(run):
    return part(run, deep=dict, opt=copy.deepcopy(run.opt.state_dict()))


def ahead(run):
    saved = part(run)
    run.advance(1)
    return saved


class Lazy(dict):
    """A snapshot that asks the generator when it is looked at."""

    def __init__(self, run):
        super().__init__(part(run))
        self.run = run

    def __deepcopy__(self, memo):
        return copy.deepcopy({**self, "order": self.run.order.get_state()})


def polar(norm=None, power=None, a=1.5, b=-0.5, guard=1e-9, extra=0):
    def answer(g, steps):
        size = norm(g) if norm else g.norm()
        x = g / (size + guard)
        for _ in range(steps + extra):
            x = a * x + b * (power(x) if power else x @ x.T @ x)
        return x

    return answer


def polar_back(g, steps):
    return polar()(g, steps) * g.norm()


def polar_svd(g, steps):
    u, s, v = torch.linalg.svd(g, full_matrices=False)
    return u @ torch.diag((s > 0).float()) @ v


def root(x):
    return math.sqrt(x)


def polar_each(g, steps):
    x = g / max(float(g.norm()), 1e-12)
    for _ in range(steps):
        x = 1.5 * x - 0.5 * x @ x.T @ x
        x = x / max(float(x.norm()), 1e-12)
    return x


class Asleep:
    """An optimizer whose step was forgotten."""

    def __init__(self, opt):
        self.zero_grad = opt.zero_grad

    def step(self):
        pass
