"""Every sentence TinyWorld can say: one list of wordings for each kind.

A wording is a template. Its slots: {a} {b} people ({a} at the front may
become He or She), {t} a thing, which may become "it", {T} a thing named in
full, {new} a thing met for the first time, {p} {q} "in the shed",
{P} {Q} "the shed", {w} weather, {d} time of day, {m} mood, {use} {used} what
the thing is for, {his} his or her. A key such as "feel.sad" holds wordings
that are added when the part after the dot applies. Weights are whole numbers,
so that sums are exact on every machine. Met in chapter 2.
"""

WORDINGS: dict[str, dict[str, int]] = {
    "weather": {
        "It was a {w} {d}.": 4,
        "What a {w} {d} it was!": 2,
        "The {d} was {w}.": 2,
        "It was a {w} {d} in the village.": 2,
        "Once there was a {w} {d}.": 2,
        "A {w} {d} began.": 1,
    },
    "scene.sunny": {
        "The sky was blue and wide.": 1,
        "The sun warmed the roofs.": 1,
        "Bees hummed in the flowers.": 1,
    },
    "scene.rainy": {
        "Rain tapped on the windows.": 1,
        "There were puddles everywhere.": 1,
        "Big drops fell from the leaves.": 1,
    },
    "scene.windy": {
        "The trees bent and danced.": 1,
        "Leaves flew through the air.": 1,
        "The clouds raced across the sky.": 1,
    },
    "scene.snowy": {
        "Snow lay on every roof.": 1,
        "White flakes fell without a sound.": 1,
        "Everything was white and still.": 1,
    },
    "scene.foggy": {
        "The trees looked like ghosts.": 1,
        "The hills hid behind a veil.": 1,
        "The world was gray and soft.": 1,
    },
    "who": {
        "{a} was {p}.": 4,
        "{a} sat {p}.": 2,
        "{a} stood {p}.": 1,
        "{a} was playing {p}.": 1,
    },
    "who.kitchen": {"{a} was baking bread {p}.": 3},
    "who.garden": {"{a} was sweeping the path {p}.": 3},
    "who.shed": {"{a} was painting a box {p}.": 3},
    "who.park": {"{a} was climbing a tree {p}.": 3},
    "who.pond": {"{a} was feeding the ducks {p}.": 3},
    "who.barn": {"{a} was counting the hens {p}.": 3},
    "who.hill": {"{a} was watching the birds {p}.": 3},
    "who.attic": {"{a} was singing a song {p}.": 3},
    "who.meadow": {"{a} was chasing a feather {p}.": 3},
    "pet": {
        "{a} was asleep {p}.": 2,
        "{a} lay {p}.": 2,
        "{a} was sniffing around {p}.": 1,
    },
    "who.too": {"{a} was {p} too.": 3, "{a} was also {p}.": 2},
    "both": {
        "{a} and {b} were {p}.": 3,
        "{a} and {b} were playing {p}.": 2,
        "{a} sat with {b} {p}.": 1,
    },
    "thing": {
        "{new} lay {u}.": 3,
        "There was {new} {u}.": 3,
        "Somebody had left {new} {u}.": 2,
    },
    "has": {
        "{a} had {new}.": 3,
        "{a} was holding {new}.": 2,
    },
    "has.more": {"{a} also had {new}.": 1},
    "want": {
        "{a} wanted {T}.": 2,
        "{a} wanted to play with {T}.": 2,
        "{a} wanted to {use} {T}.": 3,
        "{a} thought of {T} {u}.": 3,
        '"I would love to {use} {T}," said {a}.': 2,
    },
    "ask": {
        '"{b}, please bring me {T}," said {a}.': 2,
        '"{b}, can you bring me {T}?" asked {a}.': 2,
        '"{b}, please bring me {T}," called {a} from {P}.': 2,
        "{a} asked {b} for {T}.": 2,
    },
    "offer": {
        "{a} wanted to give {T} to {b}.": 3,
        '"I will give {T} to {b}," said {a}.': 2,
        '"{T} is for {b}," said {a}.': 1,
    },
    "visit": {
        "{a} wanted to see {b}.": 2,
        "{a} missed {b}.": 2,
        '"I want to play with {b}," said {a}.': 2,
        "{a} wondered what {b} was doing {q}.": 2,
    },
    "tidy": {
        "{a} wanted to take {T} to {Q}.": 2,
        '"I will put {T} {q}," said {a}.': 2,
        '"{T} belongs {q}," said {a}.': 2,
    },
    "stroll": {
        "{a} went for a walk from {P} to {Q}.": 1,
        "{a} left {P} and wandered to {Q}.": 1,
    },
    "go": {
        "{a} walked from {P} to {Q}.": 4,
        "{a} ran from {P} to {Q}.": 3,
        "{a} went from {P} to {Q}.": 2,
        "{a} skipped from {P} to {Q}.": 1,
        "Off went {a} from {P} to {Q}.": 2,
    },
    "go.rainy": {"{a} splashed through the rain from {P} to {Q}.": 3},
    "go.snowy": {"{a} stamped through the snow from {P} to {Q}.": 3},
    "go.windy": {"The wind pushed {a} along from {P} to {Q}.": 3},
    "go.foggy": {"{a} felt {his} way from {P} to {Q}.": 3},
    "go.sunny": {"{a} hopped along in the sun from {P} to {Q}.": 3},
    "carry": {
        "{a} carried {t} from {P} to {Q}.": 4,
        "{a} took {t} from {P} to {Q}.": 2,
        "{a} walked from {P} to {Q} with {T}.": 2,
        "{a} brought {t} from {P} to {Q}.": 1,
    },
    "take": {
        "{a} picked {t} up {p}.": 2,
        "{a} picked up {T} {p}.": 2,
        "{a} found {t} {p} and picked it up.": 2,
        "{T} was still {p}, and {a} picked it up.": 1,
        '"There you are!" said {a}, and picked up {T} {p}.': 1,
    },
    "give": {
        "{a} gave {t} to {b} {p}.": 3,
        "{a} handed {t} to {b} {p}.": 2,
        "{a} put {T} into the hands of {b}.": 1,
        '"Here is {T} for you, {b}," said {a}.': 2,
        '"Look what I have for you!" said {a}, and gave {T} to {b}.': 1,
    },
    "thank": {
        '"Thank you, {b}!" said {a}.': 3,
        '"You are so kind, {b}," said {a}.': 1,
        '"Just what I wanted!" said {a} to {b}.': 1,
        "{a} gave {b} a big hug.": 1,
    },
    "use": {
        "{a} played with {t} {p}.": 2,
    },
    "use.fits": {
        "{a} {used} {t} {p}.": 4,
        "{a} {used} {t} with great joy.": 1,
    },
    "together": {
        "{a} and {b} sang a song {p}.": 1,
        "{a} and {b} played a game {p}.": 1,
        "{a} and {b} danced {p}.": 1,
        "{a} and {b} told each other stories {p}.": 1,
    },
    "together.kitchen": {"{a} and {b} baked a cake {p}.": 2},
    "together.garden": {"{a} and {b} hid behind the hedge {p}.": 2},
    "together.shed": {"{a} and {b} made a paper crown {p}.": 2},
    "together.park": {"{a} and {b} played on the swings {p}.": 2},
    "together.pond": {"{a} and {b} watched the ducks {p}.": 2},
    "together.barn": {"{a} and {b} jumped in the hay {p}.": 2},
    "together.hill": {"{a} and {b} raced each other {p}.": 2},
    "together.attic": {"{a} and {b} dressed up as pirates {p}.": 2},
    "together.meadow": {"{a} and {b} built a little tent {p}.": 2},
    "together.pet": {
        "{a} and {b} ran around in circles {p}.": 1,
        "{a} and {b} played with a stick {p}.": 1,
        "{a} patted {b} {p}.": 2,
    },
    "wind": {
        "The wind blew {T} from {P} to {Q}.": 2,
        "A gust of wind carried {T} from {P} to {Q}.": 1,
    },
    "comfort": {
        '"Do not worry, {b}," said {a}.': 2,
        '"I can get {T} for you, {b}," said {a}.': 2,
        "{a} wanted to help {b}.": 1,
    },
    "put": {
        "{a} put {t} down {p}.": 3,
        "{a} left {t} {p}.": 1,
        "{a} laid {t} down {p}.": 1,
    },
    "greet": {
        '"Hello, {b}!" said {a}.': 2,
        "{a} waved to {b} {p}.": 1,
    },
    "feel": {
        "{a} was {m}.": 3,
        "{a} was very {m}.": 1,
        "{a} felt {m}.": 2,
    },
    "feel.got": {"{a} was {m} to have {T}.": 2},
    "feel.gave": {"{a} was {m} to help {b}.": 2},
    "feel.played": {"{a} was {m} after all that fun.": 2},
    "feel.lost": {"{a} was {m} without {T}.": 2},
    "feel.tidied": {"{a} was {m} after all that work.": 2},
    "feel.met": {"{a} was {m} to be with {b}.": 2},
    "feel.happy": {"{a} smiled.": 1, "{a} laughed out loud.": 1},
    "feel.sad": {
        "{a} stamped {his} foot and sighed.": 1,
        "{a} began to cry.": 1,
        "A tear rolled down {a}'s cheek.": 1,
    },
    "feel.proud": {"{a} beamed and stood very tall.": 2},
    "feel.tired": {"{a} yawned.": 1, "{a} sat down for a rest.": 1},
    "feel.surprised": {
        "{a} could hardly believe it.": 1,
        '"Oh, what a surprise!" said {a}.': 1,
    },
    "feel.excited": {
        "{a} clapped {his} hands.": 1,
        '"Hooray!" said {a}.': 1,
    },
    "recall": {
        "{T} was still {u}.": 2,
        "Nobody had moved {T}.": 1,
    },
    "keep": {
        "{a} still had {T}.": 2,
        "{a} had not let go of {T}.": 1,
    },
    "meanwhile": {
        "{a} was still {p}.": 2,
        "{a} had not left {P}.": 1,
    },
    "snatch": {
        "{a} snatched {T} {p} and dropped it {q}.": 2,
        "{a} ran off with {T} from {P} to {Q}.": 2,
    },
    "dusk": {
        "Soon the sun went down.": 1,
        "Soon it was bedtime.": 1,
        "One by one the stars came out.": 1,
        "Now the day was nearly over.": 1,
        "Then the moon rose over the roofs.": 1,
    },
    "end": {
        "It was a good day.": 1,
        "What a lovely day it had been!": 1,
        "And that was the end of the day.": 1,
    },
    "dream": {
        "That night {a} dreamed of {T}.": 2,
        "{a} fell asleep and dreamed of {T}.": 1,
    },
    "sleep": {
        "{a} fell asleep {p}.": 2,
        "{a} curled up and fell asleep {p}.": 1,
        "Before long {a} was fast asleep {p}.": 1,
    },
    "night": {
        '"Good night, {b}," said {a}.': 2,
        '"Sleep well, {b}," said {a}.': 1,
    },
    "hope": {
        '"Tomorrow will be a better day," said {a}.': 1,
    },
}
