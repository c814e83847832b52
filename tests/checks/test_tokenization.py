"""Chapter 1's checks: right answers in two forms, and planted wrong ones.

The answers are written as readers write them, not with the checks' own code.
"""

import codecs
from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from llm_utils.checks import tokenization as check

EXERCISES = {name: getattr(check, name) for name in check.__all__}


# -- 1: utf8


def utf8_shifts(cp):
    if cp > 0x10FFFF or 0xD800 <= cp < 0xE000:
        raise ValueError("no character")
    if cp < 0x80:
        return [cp]
    if cp < 0x800:
        return [0xC0 | cp >> 6, 0x80 | cp & 63]
    if cp < 0x10000:
        return [0xE0 | cp >> 12, 0x80 | cp >> 6 & 63, 0x80 | cp & 63]
    return [
        0xF0 | cp >> 18,
        *(0x80 | cp >> 12 & 63, 0x80 | cp >> 6 & 63, 0x80 | cp & 63),
    ]


def utf8_text(cp):
    """In bits, as on paper."""
    if cp > 0x10FFFF or 0xD800 <= cp < 0xE000:
        raise ValueError("no character")
    if cp < 128:
        return bytes([cp])
    n = 2 if cp < 2048 else 3 if cp < 65536 else 4
    bits = f"{cp:b}".zfill({2: 11, 3: 16, 4: 21}[n])
    first = 8 - n - 1
    parts = ["1" * n + "0" + bits[:first]]
    parts += ["10" + bits[i : i + 6] for i in range(first, len(bits), 6)]
    return bytearray(int(part, 2) for part in parts)


def utf8_unmarked(cp):
    good = utf8_shifts(cp)
    return bytes([good[0], *(b - 128 for b in good[1:])])


def utf8_no_length(cp):
    good = utf8_shifts(cp)
    heads = {1: 0, 2: 0b110_00000, 3: 0b1110_0000, 4: 0b11110_000}
    return bytes([good[0] - heads[len(good)], *good[1:]])


def utf8_border_high(cp):
    """< 0x7F where <= was meant."""
    if cp == 0x7F:
        return bytes([0xC0 | cp >> 6, 0x80 | cp & 63])
    return bytes(utf8_shifts(cp))


def utf8_border_low(cp):
    """<= 0x800 where < was meant."""
    if cp == 0x800:
        return bytes([0xC0 | (cp >> 6) & 0x3F, 0x80])
    return bytes(utf8_shifts(cp))


def utf8_unmasked(cp):
    n = len(utf8_shifts(cp)) - 1
    head = (0, 0xC0, 0xE0, 0xF0)[n] | cp >> 6 * n
    return bytes([head, *(128 | cp >> 6 * i for i in range(n - 1, -1, -1))])


def utf8_surrogates(cp):
    return chr(cp).encode("utf-8", errors="surrogatepass")


def utf8_anything(cp):
    if cp > 0x10FFFF:
        return b"\xf4\x90\x80\x80"
    return utf8_surrogates(cp)


# -- 2: count_pairs


def count_loop(words):
    counts = defaultdict(int)
    for word in words:
        for i in range(len(word) - 1):
            counts[word[i], word[i + 1]] += words[word]
    return counts


def count_counter(words):
    counts = Counter({("no", "body"): 0})
    for word, n in words.items():
        for _ in range(n):
            counts.update(pairwise(word))
    return counts


def count_once(words):
    return Counter(p for w in words for p in pairwise(w))


def count_overwrite(words):
    counts = {}
    for word, n in words.items():
        for i in range(len(word) - 1):
            counts[word[i], word[i + 1]] = n
    return counts


def count_borders(words):
    text = [s for w, n in words.items() for _ in range(n) for s in w]
    return Counter(pairwise(text))


def count_unordered(words):
    counts = Counter()
    for (a, b), n in count_loop(words).items():
        counts[min(a, b), max(a, b)] += n
    return counts


def count_short(words):
    counts = Counter()
    for word, n in words.items():
        for i in range(len(word) - 2):
            counts[word[i], word[i + 1]] += n
    return counts


def count_non_overlapping(words):
    counts = Counter()
    for word, n in words.items():
        seen = {}
        for i in range(len(word) - 1):
            pair = word[i], word[i + 1]
            if seen.get(pair) != i - 1:
                counts[pair] += n
                seen[pair] = i
    return counts


def count_sets(words):
    counts = Counter()
    for word, n in words.items():
        for pair in {word[i : i + 2] for i in range(len(word) - 1)}:
            counts[pair] += n
    return counts


def count_strings(words):
    return {f"{a}{b}": n for (a, b), n in count_loop(words).items()}


def count_double(words):
    return {pair: 2 * n for pair, n in count_loop(words).items()}


def count_no_start(words):
    counts = {}
    for word, n in words.items():
        for pair in pairwise(word):
            counts[pair] += n
    return counts


# -- 3: merge


def merge_generator(ids, pair, new_id):
    i = 0
    while i < len(ids):
        if i + 1 < len(ids) and ids[i] == pair[0] and ids[i + 1] == pair[1]:
            yield new_id
            i += 1
        else:
            yield ids[i]
        i += 1


def merge_stack(ids, pair, new_id):
    out, fresh = [], False
    for x in ids:
        if out and fresh and (out[-1], x) == pair:
            out[-1], fresh = new_id, False
        else:
            out.append(x)
            fresh = True
    return tuple(out)


def merge_twice(ids, pair, new_id):
    hits = {i for i in range(len(ids) - 1) if (ids[i], ids[i + 1]) == pair}
    out = []
    for i, x in enumerate(ids):
        if i in hits:
            out.append(new_id)
        elif i - 1 not in hits:
            out.append(x)
    return out


def merge_from_right(ids, pair, new_id):
    out, i = [], len(ids) - 1
    while i >= 0:
        if i > 0 and (ids[i - 1], ids[i]) == pair:
            out.insert(0, new_id)
            i -= 2
        else:
            out.insert(0, ids[i])
            i -= 1
    return out


def merge_loses_last(ids, pair, new_id):
    out, i = [], 0
    while i + 1 < len(ids):
        if (ids[i], ids[i + 1]) == pair:
            out += [new_id]
            i += 2
        else:
            out += [ids[i]]
            i += 1
    return out


def merge_first(ids, pair, new_id):
    for i in range(len(ids) - 1):
        if (ids[i], ids[i + 1]) == pair:
            return [*ids[:i], new_id, *ids[i + 2 :]]
    return ids


def merge_in_place(ids, pair, new_id):
    i = 0
    while i < len(ids) - 1:
        if (ids[i], ids[i + 1]) == pair:
            ids[i : i + 2] = [new_id]
        i += 1
    return ids


def merge_keeps_second(ids, pair, new_id):
    out = list(ids)
    for i in range(len(ids) - 1):
        if (ids[i], ids[i + 1]) == pair:
            out[i] = new_id
    return out


def merge_any_order(ids, pair, new_id):
    out, i = [], 0
    while i < len(ids):
        if sorted(ids[i : i + 2]) == sorted(pair):
            out.append(new_id)
            i += 2
        else:
            out.append(ids[i])
            i += 1
    return out


def merge_past_the_end(ids, pair, new_id):
    out = []
    for i in range(len(ids)):
        out.append(new_id if (ids[i], ids[i + 1]) == pair else ids[i])
    return out


# -- 5: encode


def encode_passes(word, merges):
    pieces = list(word)
    for pair in merges:
        pieces = list(merge_generator(pieces, pair, pair[0] + pair[1]))
    return pieces


def encode_min(word, merges):
    pieces = tuple(word)
    while len(pieces) > 1:
        ranks = [
            merges.index(p) if p in merges else 10**6 for p in pairwise(pieces)
        ]
        if min(ranks) == 10**6:
            break
        i = ranks.index(min(ranks))
        joined = pieces[i] + pieces[i + 1]
        pieces = (*pieces[:i], joined, *pieces[i + 2 :])
    return pieces


def encode_from_left(word, merges):
    pieces, i = list(word), 0
    while i < len(pieces) - 1:
        if (pieces[i], pieces[i + 1]) in merges:
            pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]
            i = 0
        else:
            i += 1
    return pieces


def encode_last_first(word, merges):
    pieces = list(word)
    while True:
        pairs = list(pairwise(pieces))
        for pair in reversed(merges):
            if pair in pairs:
                i = pairs.index(pair)
                pieces[i : i + 2] = [pair[0] + pair[1]]
                break
        else:
            return pieces


def encode_once_each(word, merges):
    pieces = list(word)
    for a, b in merges:
        for i in range(len(pieces) - 1):
            if pieces[i] == a and pieces[i + 1] == b:
                pieces[i : i + 2] = [a + b]
                break
    return pieces


def encode_one_step(word, merges):
    for pair in merges:
        out = list(merge_generator(list(word), pair, pair[0] + pair[1]))
        if len(out) < len(word):
            return out
    return list(word)


def encode_longest(word, merges):
    known = {a + b for a, b in merges}
    out = []
    while word:
        n = len(word)
        while n > 1 and word[:n] not in known:
            n -= 1
        out.append(word[:n])
        word = word[n:]
    return out


# -- 6: chat_ids


def chat_lists(tokenizer, message):
    ids = tokenizer.special_tokens
    return [ids["<|user|>"], *tokenizer.encode(message), ids["<|end|>"]]


def chat_allowed(tokenizer, message):
    start = tokenizer.encode("<|user|>", allowed_special={"<|user|>"})
    end = tokenizer.encode("<|end|>", allowed_special="all")
    return (*start, *tokenizer.encode(message, ()), *end)


def chat_trusting(tokenizer, message):
    ids = tokenizer.special_tokens
    middle = tokenizer.encode(message, allowed_special="all")
    return [ids["<|user|>"], *middle, ids["<|end|>"]]


def chat_trusting_two(tokenizer, message):
    both = {"<|end|>", "<|user|>"}
    return tokenizer.encode("<|user|>" + message + "<|end|>", both)


def chat_spelled(tokenizer, message):
    return tokenizer.encode("<|user|>" + message + "<|end|>")


def chat_deleting(tokenizer, message):
    for name in tokenizer.special_tokens:
        message = "".join(message.split(name))
    return tokenizer.encode("<|user|>" + message + "<|end|>", "all")


def chat_deleting_twice(tokenizer, message):
    for name in tokenizer.special_tokens:
        message = "".join(message.split(name))
    return chat_lists(tokenizer, message)


def chat_escaping(tokenizer, message):
    return chat_lists(tokenizer, message.replace("<|", "< |"))


def chat_refusing(tokenizer, message):
    assert_free = [n for n in tokenizer.special_tokens if n in message]
    if assert_free:
        raise ValueError(assert_free)
    return chat_lists(tokenizer, message)


# -- 8: stream


def stream_codecs(tokens):
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for token in tokens:
        if text := decoder.decode(token):
            yield from text  # one character at a time
    yield decoder.decode(b"", True)


def stream_by_hand(tokens):
    held = b""
    for token in tokens:
        held += token
        keep = 0
        for back in range(1, min(len(held), 3) + 1):
            lead = held[-back]
            if lead >= 0xC0:
                need = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
                keep = back if back < need else 0
                break
            if lead < 0x80:
                break
        ready, held = held[: len(held) - keep], held[len(held) - keep :]
        yield ready.decode(errors="replace")
    if held:
        yield held.decode(errors="replace")


def stream_alone(tokens):
    for token in tokens:
        yield token.decode("utf-8", errors="replace")


def stream_all_at_once(tokens):
    data = b"".join(tokens)
    yield from data.decode(errors="replace")


def stream_blocked(tokens):
    held = b""
    for token in tokens:
        held += token
        try:
            held.decode()
        except UnicodeDecodeError:
            continue
        yield held.decode()
        held = b""
    if held:
        yield held.decode(errors="replace")


def stream_dropping(tokens):
    decoder = codecs.getincrementaldecoder("utf-8")("ignore")
    for token in tokens:
        yield decoder.decode(token)


def stream_no_end(tokens):
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for token in tokens:
        yield decoder.decode(token)


def stream_late(tokens):
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    before = b""
    for token in tokens:
        yield decoder.decode(before)
        before = token
    yield decoder.decode(before, True)


def stream_string(tokens):
    return b"".join(tokens).decode(errors="replace")


def stream_bytes(tokens):
    yield from tokens


# -- 9: wordpiece


def wordpiece_while(word, vocab):
    out = []
    rest = word
    while rest:
        end = len(rest)
        while end and ("##" * bool(out) + rest[:end]) not in vocab:
            end -= 1
        if not end:
            return ("[UNK]",)
        out.append("##" * bool(out) + rest[:end])
        rest = rest[end:]
    return tuple(out)


def wordpiece_recursive(word, vocab, mark=""):
    if not word:
        return []
    fits = [n for n in range(1, len(word) + 1) if mark + word[:n] in vocab]
    if not fits:
        return ["[UNK]"]
    rest = wordpiece_recursive(word[max(fits) :], vocab, "##")
    if "[UNK]" in rest:
        return ["[UNK]"]
    return [mark + word[: max(fits)], *rest]


def _wordpiece(word, vocab, ends, mark="##", unknown=None):
    out, start = [], 0
    while start < len(word):
        for end in ends(start, len(word)):
            if (mark if start else "") + word[start:end] in vocab:
                out.append((mark if start else "") + word[start:end])
                start = end
                break
        else:
            if unknown is None:
                return ["[UNK]"]
            out += unknown
            if unknown != ["[UNK]"]:
                return out
            start += 1
    return out


def _down(start, n):
    return range(n, start, -1)


def wordpiece_shortest(word, vocab):
    return _wordpiece(word, vocab, lambda a, b: range(a + 1, b + 1))


def wordpiece_unmarked(word, vocab):
    return _wordpiece(word, vocab, _down, mark="")


def wordpiece_unk_letters(word, vocab):
    return _wordpiece(word, vocab, _down, unknown=["[UNK]"])


def wordpiece_half(word, vocab):
    out, rest = [], word
    while rest:
        mark = "##" if out else ""
        for end in range(len(rest), 0, -1):
            if mark + rest[:end] in vocab:
                break
        else:
            return [*out, "[UNK]"]
        out.append(mark + rest[:end])
        rest = rest[end:]
    return out


def wordpiece_vanishing(word, vocab):
    return [p for p in wordpiece_half(word, vocab) if p != "[UNK]"]


def wordpiece_stripped(word, vocab):
    return [p.replace("##", "") for p in wordpiece_while(word, vocab)]


def wordpiece_backtracking(word, vocab, mark=""):
    if not word:
        return []
    for end in range(len(word), 0, -1):
        if mark + word[:end] in vocab:
            rest = wordpiece_backtracking(word[end:], vocab, "##")
            if rest != ["[UNK]"]:
                return [mark + word[:end], *rest]
    return ["[UNK]"]


# -- the tables

RIGHT = {
    "utf8": [utf8_shifts, utf8_text],
    "count_pairs": [count_loop, count_counter],
    "merge": [merge_generator, merge_stack],
    "first_merges": [
        ["e+a", "s+e", "t+ea", "s+ea"],
        (("e", "a"), ("s", "e"), ("t", "ea"), ("s", "ea")),
        ["ea", "se", "tea", "sea"],
        lambda: iter(["e a", "s + e", "t+ ea", "s ea"]),
    ],
    "encode": [encode_passes, encode_min],
    "chat_ids": [chat_lists, chat_allowed],
    "tokens_per_byte": [
        lambda t, text: len(t.encode(text)) / len(text.encode()),
        lambda t, text: round(
            1 / (len(bytes(text, "utf-8")) / len(list(t.encode(text)))), 6
        ),
    ],
    "explanation": ["C", " c) ", lambda: "c"],
    "stream": [stream_codecs, stream_by_hand],
    "wordpiece": [wordpiece_while, wordpiece_recursive],
}

WRONG = {
    "utf8": [
        (utf8_unmarked, "continuation bytes lack their mark"),
        (utf8_no_length, "first byte does not say how many"),
        (utf8_border_high, "One byte too many at a border"),
        (utf8_border_low, "One byte too few at a border"),
        (lambda cp: bytes(utf8_shifts(cp)[::-1]), "wrong order"),
        (utf8_surrogates, "0xD800 to 0xDFFF are surrogates"),
        (utf8_anything, "not every number is one"),
        (lambda cp: chr(cp), "returns a str; a bytes object"),
        (lambda cp: [cp], "smallest case where yours differs: utf8(0xE9)"),
        (lambda cp: [cp + 256], "a byte is from 0 to 255"),
        (utf8_unmasked, "holds six bits and yours take more"),
    ],
    "count_pairs": [
        (count_once, "You count every word once"),
        (count_overwrite, "You set a count where you should add"),
        (count_borders, "Pairs do not cross the border"),
        (count_unordered, "('a', 'b') and ('b', 'a') are different"),
        (count_short, "The last pair of every word is missing"),
        (count_non_overlapping, "In 'aaa' the pair"),
        (count_sets, "counts twice"),
        (count_strings, "Your keys are strings"),
        (count_double, "smallest case where yours differs"),
        (lambda words: list(count_loop(words).items()), "a dictionary {pair"),
        (count_no_start, "KeyError: ('a', 'b'). A plain dict knows no new"),
    ],
    "merge": [
        (merge_twice, "You merge overlapping pairs twice"),
        (merge_from_right, "You merge from the right"),
        (merge_loses_last, "The last element is lost"),
        (merge_first, "Only the first hit is merged"),
        (merge_in_place, "changes its input"),
        (merge_keeps_second, "second half of the pair stays behind"),
        (merge_any_order, "in either order"),
        (merge_past_the_end, "IndexError"),
        (lambda ids, pair, new_id: None, "forget `return`"),
    ],
    "first_merges": [
        (["s+e", "e+a", "t+ea", "se+t"], "You counted each word once"),
        (["e+a", "s+e", "t+e", "a+s"], "Count again after every merge"),
        (["e+a", "s+e", "t+ea", "ea+se"], "of equals, the greatest pair"),
        (["s+e", "e+a", "t+ea", "s+ea"], "The first pair is e+a"),
        (["e+a", "s+e", "t+e", "s+ea"], "part of ea by now"),
        (
            ["e+a", "s+e", "t+ea", "se+t"],
            "first three are right, the fourth is not",
        ),
        (["e+a", "s+e", "s+ea", "t+ea"], "first two are right, the third"),
        (["e+a", "t+ea", "s+e", "s+ea"], "first is right, the second is not"),
        (["e+a", "t+ea"], "exactly four"),
        ([], "exactly four"),
        ([1, 2, 3, 4], "write each merge as 'x+y'"),
        (["a+s", "e+a", "s+e", "t+ea"], "The first merge is another one"),
    ],
    "encode": [
        (encode_from_left, "first pair from the left"),
        (encode_last_first, "you take the one learned last"),
        (encode_once_each, "at one place only"),
        (encode_one_step, "You stop after one merge"),
        (encode_longest, "That is WordPiece"),
        (lambda word, merges: list(word), "smallest case where yours"),
        (lambda word, merges: word, "returns a str; a list"),
    ],
    "chat_ids": [
        (chat_trusting, "still becomes special tokens"),
        (chat_trusting_two, "Allowing only your own markers"),
        (chat_spelled, "Your own markers have become plain text"),
        (chat_deleting, "it is not even safe"),
        (chat_deleting_twice, "You delete the user's words"),
        (chat_escaping, "no longer decode to what the user wrote"),
        (chat_refusing, "You refuse a message"),
        (lambda t, m: chat_lists(t, m)[:-1], "<|end|> is missing after"),
        (lambda t, m: chat_lists(t, m)[1:], "<|user|> is missing before"),
    ],
    "tokens_per_byte": [
        (lambda t, text: len(t.encode(text)) / len(text), "by characters"),
        (lambda t, text: len(text.encode()) / len(t.encode(text)), "inverse"),
        (lambda t, text: len(t.encode(text)), "is the number of tokens"),
        (lambda t, text: f"{len(t.encode(text))}", "returns a str; a number"),
        (
            lambda t, text: len(t.encode(text)) / len(text.split()),
            "tokens per word",
        ),
    ],
    "explanation": [
        ("A", "one byte for every character"),
        ("B", "nothing is unknown"),
        ("D", "train with a larger vocabulary"),
        ("E", "The answer is one letter"),
        (3, "a letter such as 'A'"),
    ],
    "stream": [
        (stream_alone, "You decode each token alone"),
        (stream_all_at_once, "it all comes at the end"),
        (stream_blocked, "You wait until all that you hold decodes"),
        (stream_dropping, "Invalid bytes vanish"),
        (stream_no_end, "what you hold is lost"),
        (stream_late, "one token late"),
        (stream_string, "a generator that yields pieces"),
        (stream_bytes, "pieces of type bytes; text"),
    ],
    "wordpiece": [
        (wordpiece_shortest, "the shortest piece"),
        (wordpiece_unmarked, "pieces without ##"),
        (wordpiece_unk_letters, "one [UNK] per letter"),
        (wordpiece_half, "You keep the pieces found before the [UNK]"),
        (wordpiece_vanishing, "What does not fit vanishes"),
        (wordpiece_stripped, "you return them without their ##"),
        (wordpiece_backtracking, "You take a piece back"),
    ],
}


def one_line(result):
    return " ".join(repr(result).split())


@pytest.mark.parametrize("name", EXERCISES)
def test_every_exercise_has_its_tests(name):
    assert len(RIGHT[name]) >= 2
    assert len(WRONG[name]) >= 3


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize("n", range(2))
def test_right_answers_are_accepted(name, n):
    for answer in RIGHT[name][n::2]:
        result = EXERCISES[name](answer)
        assert result.ok, result
        assert repr(result).startswith("Right. ")


@pytest.mark.parametrize("name", EXERCISES)
def test_the_untouched_stub_is_met_kindly(name):
    def stub(*args):
        raise NotImplementedError()

    result = EXERCISES[name](stub)
    assert not result.ok
    assert repr(result).startswith("Not started yet: ")
    assert "Error" not in repr(result)


@pytest.mark.parametrize(
    ("name", "answer", "says"),
    [(name, *plant) for name, plants in WRONG.items() for plant in plants],
)
def test_a_planted_mistake_is_named(name, answer, says):
    result = EXERCISES[name](answer)
    assert not result.ok
    assert says in one_line(result)
    assert repr(result).isascii()
    assert "Traceback" not in repr(result)


@pytest.mark.parametrize("name", EXERCISES)
def test_every_named_mistake_can_be_met(name):
    """Each mistake differs from the reference and is told from the others."""
    exercise = EXERCISES[name]
    for mistake in exercise.mistakes:
        assert mistake.does or mistake.when
        if mistake.does:
            assert exercise(mistake.does).message.startswith(mistake.says)


@pytest.mark.parametrize("name", EXERCISES)
def test_references_refuse_only_what_the_exercise_says(name):
    """A case that is broken by itself would ask the reader for an error."""
    exercise = EXERCISES[name]
    for args in exercise.cases:
        if name == "utf8" and (
            0xD800 <= args[0] < 0xE000 or args[0] > 0x10FFFF
        ):
            with pytest.raises(ValueError):
                exercise.reference(*args)
        else:
            exercise.reference(*args)


@pytest.mark.parametrize("name", EXERCISES)
def test_lines_fit_a_page(name):
    for answer, _ in WRONG[name]:
        lines = repr(EXERCISES[name](answer)).splitlines()
        assert max(map(len, lines)) <= 80, lines
