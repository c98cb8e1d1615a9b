"""Pictures of the documentation: `python docs/pictures.py FOLDER` writes each as an SVG.

Boxes, bars and arrows only, in the style of `flow.svg`, which is drawn by hand.
"""

import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

INK, GREY, A, B = "#0f172a", "#475569", "#d55e00", "#0072b2"
"""Text, notes, and Okabe and Ito's colours of the two candidates, as the report has them."""
STYLE = (
    f"text{{font-family:system-ui,sans-serif;font-size:14px;fill:{INK}}}"
    f".n{{font-size:12.5px;fill:{GREY}}}.h{{font-weight:600}}"
    f".b{{fill:#fff;stroke:#334155;stroke-width:1.4}}"
    f".l{{stroke:#334155;stroke-width:1.6;fill:none}}.a{{marker-end:url(#m)}}"
)
ARROW = (
    '<defs><marker id="m" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
    ' orient="auto"><path d="M0 0L8 4L0 8z" fill="#334155"/></marker></defs>'
)


def picture(width: int, height: int, title: str, parts: Sequence[str]) -> str:
    """One SVG on white, with a title for screen readers."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
        f' aria-labelledby="t">\n<title id="t">{escape(title)}</title>\n<style>{STYLE}</style>\n'
        f'{ARROW}\n<rect width="{width}" height="{height}" fill="#fff"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def text(x: float, y: float, words: str, style: str = "", anchor: str = "start") -> str:
    """One line of text."""
    return (
        f'<text x="{x:g}" y="{y:g}" class="{style}" text-anchor="{anchor}">{escape(words)}</text>'
    )


def box(x: float, y: float, width: float, height: float, words: str, note: str = "") -> str:
    """A box with a line of text and a note below it."""
    middle = x + width / 2
    lines = text(middle, y + height / 2 + (0 if note else 5), words, "h", "middle")
    if note:
        lines += text(middle, y + height / 2 + 18, note, "n", "middle")
    return (
        f'<rect class="b" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="8"/>{lines}'
    )


def bar(x: float, y: float, width: float, colour: str, height: float = 18) -> str:
    """A filled bar."""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="3" fill="{colour}"/>'
    )


def line(x1: float, y1: float, x2: float, y2: float, arrow: bool = False) -> str:
    """A straight line, with an arrow's head at its end if asked."""
    head = " a" if arrow else ""
    return f'<path class="l{head}" d="M{x1:g} {y1:g}L{x2:g} {y2:g}"/>'


def both_orders() -> str:
    """A judge that likes the first position, asked once and asked in both orders."""

    def orders(y: float, words: str, first: str, second: str) -> Iterator[str]:
        yield text(20, y + 14, words, "h")
        for number, letter in enumerate((first, second)):
            colour = A if letter == "A" else B
            yield bar(150 + 130 * number, y, 120, colour, 24)
            yield (
                f'<text x="{210 + 130 * number}" y="{y + 17}" text-anchor="middle"'
                f' style="fill:#fff;font-weight:600">{letter}</text>'
            )

    parts = [
        text(150, 28, "shown first", "n"),
        text(280, 28, "shown second", "n"),
        *orders(40, "forward", "A", "B"),
        text(440, 57, "the judge says: first is better → A", "n"),
        *orders(80, "backward", "B", "A"),
        text(440, 97, "the judge says: first is better → B", "n"),
        line(150, 122, 400, 122),
        text(20, 146, "together", "h"),
        text(
            150, 146, "a flip: the judge preferred a position, not an answer. Nobody wins the row."
        ),
    ]
    return picture(760, 166, "A row is judged in both orders; a flip counts for nobody", parts)


def clusters() -> str:
    """Two hundred rows of twenty prompts are nearer to twenty observations than to two hundred."""
    parts = [text(20, 28, "200 rows, each with a prompt of its own", "h")]
    parts += [bar(20 + 12 * n, 38, 9, B, 22) for n in range(50)]
    parts += [text(632, 54, "… 200 independent looks", "n")]
    parts += [text(20, 92, "200 rows of 20 prompts, ten samples each", "h")]
    for prompt in range(5):
        colour = B if prompt in (0, 2, 3) else A
        parts += [bar(20 + 122 * prompt + 11 * n, 102, 9, colour, 22) for n in range(10)]
    parts += [text(632, 118, "… 20 looks, repeated", "n")]
    parts += [
        text(
            20,
            152,
            "Ten samples of one prompt mostly agree. An interval that counts them as ten rows",
        ),
        text(20, 172, "is about three times too narrow where they always agree (√10)."),
    ]
    return picture(800, 190, "Rows of one prompt are one cluster", parts)


def verdict() -> str:
    """Four intervals of the win rate, and the word that each of them carries."""
    left, width = 170.0, 420.0

    def at(rate: float) -> float:
        return left + width * rate

    rows = (
        ("B better", 0.565, 0.787, B),
        ("A better", 0.21, 0.42, A),
        ("inconclusive", 0.44, 0.63, GREY),
        ("equivalent", 0.47, 0.53, "#2f6b45"),
    )
    parts = [bar(at(0.45), 30, at(0.55) - at(0.45), "#e6f4ea", 190)]
    parts += [text(at(0.5), 22, "margin, where one is set", "n", "middle")]
    for number, (word, low, high, colour) in enumerate(rows):
        y = 60 + 44 * number
        parts += [
            text(150, y + 5, word, "h", "end"),
            bar(at(low), y - 5, at(high) - at(low), colour, 10),
            f'<circle cx="{at((low + high) / 2):g}" cy="{y}" r="6" fill="{INK}"/>',
        ]
    parts += [line(at(0.5), 30, at(0.5), 226), line(left, 226, left + width, 226)]
    parts += [
        text(at(rate), 244, words, "n", "middle")
        for rate, words in ((0, "0 %"), (0.5, "50 %"), (1, "100 %"))
    ]
    parts += [text(at(0.5), 264, "win rate of B with its interval", "n", "middle")]
    return picture(640, 280, "A verdict is read from where the whole interval lies", parts)


def states() -> str:
    """The ways that a run can end."""
    parts = [
        box(20, 40, 130, 52, "planned", "nothing paid yet"),
        line(150, 66, 190, 66, arrow=True),
        box(190, 40, 130, 52, "answering", "endpoints are up"),
        line(320, 66, 360, 66, arrow=True),
        box(360, 40, 130, 52, "judging", "endpoints are gone"),
        line(490, 66, 530, 66, arrow=True),
        box(530, 40, 130, 52, "reported", "the report is there"),
        box(190, 150, 130, 52, "refused", "says what to change"),
        box(360, 150, 130, 52, "failed", "has a report too"),
        box(530, 150, 130, 52, "stopped", "answers are kept"),
        line(85, 92, 200, 150, arrow=True),
        line(265, 92, 395, 150, arrow=True),
        line(425, 92, 425, 150, arrow=True),
        line(460, 92, 570, 150, arrow=True),
    ]
    return picture(680, 222, "The states of a run", parts)


def house() -> str:
    """The layers of the code; imports go down only."""
    rows = (
        ("stacks/", "what exists in AWS", "lambdas/", "how AWS calls us"),
        ("nova_judge/cli", "commands", "nova_judge/steps", "what each state does"),
        (
            "nova_judge/report",
            "page, figure, Markdown",
            "nova_judge/aws",
            "calls to AWS, nothing else",
        ),
        ("nova_judge/findings", "the record of a result", "nova_judge/kinds", "where kinds differ"),
        (
            "nova_judge/pairs, scores",
            "what a judge writes",
            "nova_judge/answers",
            "answers under throttling",
        ),
        (
            "nova_judge/statistics",
            "numbers, nothing else",
            "nova_judge/recipe, inputs",
            "what is asked and read",
        ),
    )
    parts = []
    for number, (left, note, right, other) in enumerate(rows):
        y = 16 + 66 * number
        parts += [box(20, y, 300, 54, left, note), box(340, y, 300, 54, right, other)]
    parts += [line(665, 20, 665, 400, arrow=True), text(676, 215, "imports", "n")]
    return picture(740, 424, "The house: imports go down only", parts)


def report() -> str:
    """The parts of a report, from top to bottom."""
    parts_of_page = (
        (44, "verdict", "the word, its evidence, and who stood in for a model"),
        (92, "six panels", "counts, win rate, both orders, criteria, categories, margins"),
        (44, "criteria", "means by candidate, differences, sliders over the weights"),
        (44, "trust", "positions, agreement with labels, length, calibration, controls"),
        (44, "where every row went", "judged, rejected, failed: the sum closes"),
        (92, "rows", "both answers, what the judge said in each order, filters"),
        (
            44,
            "cost and provenance",
            "estimate beside actual; file, recipe and versions",
        ),
    )
    parts, y = [], 16.0
    for height, name, note in parts_of_page:
        parts.append(f'<rect class="b" x="20" y="{y:g}" width="230" height="{height}" rx="6"/>')
        parts.append(text(135, y + height / 2 + 5, name, "h", "middle"))
        parts.append(text(270, y + height / 2 + 5, note, "n"))
        y += height + 8
    return picture(700, int(y) + 8, "The parts of a report, from top to bottom", parts)


PICTURES = {
    "report": report,
    "both-orders": both_orders,
    "clusters": clusters,
    "verdict": verdict,
    "states": states,
    "house": house,
}


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        (folder / f"{name}.svg").write_text(draw(), "utf-8")
