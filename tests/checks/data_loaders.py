"""Loaders as readers write them: right ones, and some with a bug."""

import random

import torch


class Permuted:
    """Torch draws the orders; place and epoch are counted apart."""

    def __init__(self, n, B, seed, rank=0, world=1):
        self.n, self.B, self.seed = n, B, seed
        self.rank, self.world = rank, world
        self.epoch = self.place = 0

    def __next__(self):
        if self.place == self.n:
            self.epoch, self.place = self.epoch + 1, 0
        rng = torch.Generator().manual_seed(1000 * self.seed + self.epoch)
        order = torch.randperm(self.n, generator=rng)
        first = self.place + self.rank * self.B
        self.place += self.world * self.B
        return order[first : first + self.B]

    def state_dict(self):
        return {"epoch": self.epoch, "place": self.place}

    def load_state_dict(self, state):
        self.epoch, self.place = state["epoch"], state["place"]


class Replayed:
    """A generator of all batches, which is run again up to the place."""

    def __init__(self, n, B, seed, rank=0, world=1):
        self.args = n, B, seed, rank, world
        self.start()

    def start(self):
        self.steps, self.batches = 0, self.all_of_them(*self.args)

    @staticmethod
    def all_of_them(n, B, seed, rank, world):
        rng = random.Random(seed)
        while True:
            order = list(range(n))
            rng.shuffle(order)
            for first in range(rank * B, n, B * world):
                yield order[first : first + B]

    def __next__(self):
        self.steps += 1
        return next(self.batches)

    def state_dict(self):
        return {"steps": self.steps}

    def load_state_dict(self, state):
        self.start()
        for _ in range(state["steps"]):
            next(self)


class Unlearned(Permuted):
    """What the exercise shows: no epoch in the state, its own rows only."""

    def __next__(self):
        if self.place == self.n:
            self.epoch, self.place = self.epoch + 1, 0
        rows = []
        for k in range(self.B):
            where = self.place + self.rank * self.B + k
            epoch, place = self.epoch + where // self.n, where % self.n
            rng = torch.Generator().manual_seed(1000 * self.seed + epoch)
            rows.append(int(torch.randperm(self.n, generator=rng)[place]))
        self.place += self.B
        return rows

    def state_dict(self):
        return {"place": self.place}

    def load_state_dict(self, state):
        self.epoch, self.place = 0, state["place"]


class NoEpoch(Permuted):
    def state_dict(self):
        return {"place": self.place}

    def load_state_dict(self, state):
        self.epoch, self.place = 0, state["place"]


class OwnEpoch(NoEpoch):
    def load_state_dict(self, state):
        self.place = state["place"]


class NoPlace(Permuted):
    def load_state_dict(self, state):
        self.epoch, self.place = state["epoch"], 0
        if state["place"] == self.n:
            self.epoch += 1


class Deaf(Replayed):
    def load_state_dict(self, state):
        pass


class FromTheStart(Replayed):
    def load_state_dict(self, state):
        self.start()


class Anew(Permuted):
    """A new order at each resume."""

    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.seed += 77


class KeptOrder:
    """The order in the state; what draws the next one starts again."""

    def __init__(self, n, B, seed, rank=0, world=1):
        self.n, self.B, self.rank, self.world = n, B, rank, world
        self.rng, self.place = random.Random(seed), 0
        self.order = self.rng.sample(range(n), n)

    def __next__(self):
        if self.place == self.n:
            self.order, self.place = self.rng.sample(range(self.n), self.n), 0
        first = self.place + self.rank * self.B
        self.place += self.B * self.world
        return self.order[first : first + self.B]

    def state_dict(self):
        return {"order": list(self.order), "place": self.place}

    def load_state_dict(self, state):
        self.order, self.place = list(state["order"]), state["place"]
        self.rng = random.Random(99)


class Ahead(Replayed):
    def load_state_dict(self, state):
        super().load_state_dict({"steps": state["steps"] + 1})


class Behind(Replayed):
    def load_state_dict(self, state):
        super().load_state_dict({"steps": state["steps"] - 1})


class WithTensor(Permuted):
    def state_dict(self):
        return {"at": torch.tensor([self.epoch, self.place])}

    def load_state_dict(self, state):
        self.epoch, self.place = state["at"]


class Stepping(Permuted):
    """A worker steps over its own rows; the last of them meet the end."""

    def __next__(self):
        if self.place >= self.n:
            self.epoch, self.place = self.epoch + 1, self.place - self.n
        rows = []
        for k in range(self.place + self.rank * self.B,
                       self.place + (self.rank + 1) * self.B):  # fmt: skip
            epoch = self.epoch + k // self.n
            rng = torch.Generator().manual_seed(1000 * self.seed + epoch)
            rows.append(torch.randperm(self.n, generator=rng)[k % self.n])
        self.place += self.B
        return rows


class Everybody(Replayed):
    def __init__(self, n, B, seed, rank=0, world=1):
        super().__init__(n, B, seed)


class Apart(Replayed):
    def __init__(self, n, B, seed, rank=0, world=1):
        super().__init__(n, B, seed + 100 * rank)


class Again(Permuted):
    def __next__(self):
        if self.place == self.n:
            self.place = 0
        return super().__next__()


class InOrder(Replayed):
    @staticmethod
    def all_of_them(n, B, seed, rank, world):
        while True:
            for first in range(rank * B, n, B * world):
                yield range(first, first + B)


class Seedless(Replayed):
    def __init__(self, n, B, seed, rank=0, world=1):
        super().__init__(n, B, 0, rank, world)


class Dice(Replayed):
    @staticmethod
    def all_of_them(n, B, seed, rank, world):
        rng = random.Random(seed)
        while True:
            yield [rng.randrange(n) for _ in range(B * world)][rank * B :][:B]


class TooMany(Replayed):
    @staticmethod
    def all_of_them(n, B, seed, rank, world):
        while True:
            yield list(range(n))
