"""What the bugs of appendix D leave in a curve, in words.

SHOWS: what a bug would show, said to a reader who suspects the wrong one.
LOOK: where to look in this one's curve. CONFUSED: (the bug, what it is taken
for) -> what tells the two apart. PRAISE: what to remember.
"""

SHOWS = {
    "counted_padding": "a training loss below the floor next to a held-out "
    "loss that is as good as a sound one",
    "double_softmax": "a training loss that hardly leaves its start, while "
    "held-out loss first falls as it should and then climbs",
    "kept_gradients": "the sound curve's first steps, then a loss that swings "
    "and falls late",
    "open_mask": "both losses below the floor",
    "other_ids": "a sound training curve under a held-out loss that never "
    "falls at all",
    "other_weights": "two level lines at ln V, for not one weight moves",
    "rate_too_high": "a fall that is faster than the sound one from the very "
    "first steps, and then a long plateau",
    "rows_apart": "both losses resting together near the level of single "
    "words, far above the floor",
    "same_batch": "a training loss that follows the sound one at first and "
    "then goes to zero, under a held-out loss that turns and rises",
    "shifted_twice": "a training loss that falls to a believable value above "
    "the sound one, under a held-out loss that falls, turns and climbs",
    "unshifted_targets": "a training loss at zero within a few dozen steps, "
    "and below ln V before the first of them",
    "wide_table": "a start at many times ln V",
}

LOOK = {
    "counted_padding": "compare both losses with the floor: one is below it, "
    "the other is not, and nothing is wrong with the model that it measures",
    "double_softmax": "ask how low the training loss gets in the whole run, "
    "and whether the held-out one knows about that",
    "kept_gradients": "lay the first twenty steps over the sound run's: they "
    "agree. What goes wrong has to build up",
    "open_mask": "look at which side of the floor each loss ends",
    "other_ids": "compare the training curve with the gray one: nothing at "
    "all is wrong with it",
    "other_weights": "ask whether anything was learned, on either side",
    "rate_too_high": "look at the first fifteen steps, and then at how long "
    "nothing happens",
    "rows_apart": "read off the level at which both losses rest, and "
    "compare it with the four levels of the ladder",
    "same_batch": "find the step at which the training curve leaves the "
    "sound one, and see how smooth it is from there",
    "shifted_twice": "the training loss looks healthy, and a little too high. "
    "Ask what the held-out loss does in the first steps, and after",
    "unshifted_targets": "look at the very first training loss, before any "
    "weight has moved",
    "wide_table": "look at where the curve begins",
}

CONFUSED = {
    ("same_batch", "unshifted_targets"): "Both go to zero. But copying its "
    "own input is learned in a few dozen steps, and here the curve stays "
    "with the sound one for longer: something had to be learned by heart.",
    ("unshifted_targets", "same_batch"): "Both go to zero. But a batch must "
    "be learned by heart, which takes as long as learning; here it was "
    "nearly for free, and the first loss was below ln V already.",
    ("unshifted_targets", "open_mask"): "A model that sees the future is as "
    "good on held-out text. Here held-out text is where it fails.",
    ("open_mask", "unshifted_targets"): "Targets that are not shifted are a "
    "bug of the training data, and the held-out loss would show it. Here "
    "both are far too good: it is in the model.",
    ("open_mask", "counted_padding"): "Padding flatters the loss that counts "
    "it, and the held-out one does not count it. Here both are below the "
    "floor.",
    ("counted_padding", "open_mask"): "A leak in the model helps on held-out "
    "text as well. Here the held-out loss stays above the floor, so "
    "something flatters the training loss alone.",
    ("counted_padding", "same_batch"): "A batch that was learned by heart "
    "goes to zero, and the held-out loss pays for it. Here held-out text is "
    "fine.",
    ("shifted_twice", "other_ids"): "With other ids nothing fits from the "
    "first step on, and the training curve is the sound one. Here held-out "
    "loss falls at first, and the training loss is higher than it should be.",
    ("other_ids", "shifted_twice"): "A task that is too hard shows in the "
    "training loss. Here it is the sound one to the last digit: training is "
    "in order.",
    ("shifted_twice", "same_batch"): "Learned by heart, the loss would go to "
    "zero. Here it falls as for new text, and rests too high.",
    ("same_batch", "shifted_twice"): "The training loss goes to zero, which "
    "no new text allows.",
    ("rate_too_high", "kept_gradients"): "Gradients pile up slowly: the first "
    "steps would be the sound run's. Here they are not, they are faster.",
    ("kept_gradients", "rate_too_high"): "A rate that is too high shows at "
    "once. Here the first steps are the sound run's own, and the trouble "
    "builds up.",
    ("other_weights", "double_softmax"): "A squeezed loss still learns, and "
    "held-out loss shows it. Here neither moves.",
    ("double_softmax", "other_weights"): "Something does move: look at the "
    "held-out loss.",
    ("rows_apart", "rate_too_high"): "A rate that is too high leaves a "
    "plateau when the rate has fallen. This one never ends, and it lies "
    "near the level of single words.",
    ("rate_too_high", "rows_apart"): "Close to that level for a while; but "
    "then the rate comes down and the loss falls on. Without the right "
    "targets it could not.",
    ("rows_apart", "other_weights"): "Something is learned here: it falls "
    "from ln V to a level with a meaning.",
    ("wide_table", "rate_too_high"): "A rate needs steps to do harm. This "
    "curve is wrong before the first one.",
    ("double_softmax", "shifted_twice"): "Both have a held-out loss that "
    "turns. But here the training loss hardly leaves its start.",
    ("shifted_twice", "double_softmax"): "Both have a held-out loss that "
    "turns. But a squeezed loss cannot get far below ln V, and this one does.",
}

PRAISE = {
    "counted_padding": "Zeros at the end of a row are easy to predict, and "
    "each easy target lowers the mean. Below the floor on one side: it is "
    "the measure that leaks, not the model.",
    "double_softmax": "Between probabilities, which differ by 1 at most, a "
    "second softmax can hardly choose, so the model shouts ever louder.",
    "kept_gradients": "The sum of all gradients since the start is a momentum "
    "that never forgets. Log the norm: it does not come down.",
    "open_mask": "Nobody beats the entropy. Below the floor on text it never "
    "saw, a model has seen the answer.",
    "other_ids": "When only one of two losses is wrong, look at what only "
    "that one uses.",
    "other_weights": "Level at ln V means that nothing moves. Compare the "
    "weights before and after one step.",
    "rate_too_high": "It falls fast while any direction helps, and stays "
    "where steps are wider than the valley.",
    "rows_apart": "It knows how often each word comes, and a little about "
    "where in a story: that is all that such targets can teach.",
    "same_batch": "Going to zero is the right answer to one batch, and the "
    "wrong one to a stream of them.",
    "shifted_twice": "The word after next is a task, too, and it can be "
    "learned. Decode one row and its targets, and read them.",
    "unshifted_targets": "With a tied table the input scores itself before "
    "anything was learned, so even the first loss is too low.",
    "wide_table": "Start at ln V, or say why not. Training repairs it, at the "
    "price of the steps that it takes.",
}
