"""Holds counted figures against their limits and prints them as a table in Markdown.

python tests/counts/judge.py FILE [CEILINGS]: each line of FILE has a name, a figure, its limit and its goal, with tabs between them. A
figure over its limit fails, unless not_held.tsv names it: then it may be as high as stands there, so that it gets no worse meanwhile.
CEILINGS is another such list, for programs that were built in haste: it also has figures that are over their limits only because of
that, and what it says goes before.
"""

import math
import pathlib
import sys

NOT_HELD = pathlib.Path(__file__).with_name("not_held.tsv")


def rows(file):
    return [line.split("\t") for line in file.read_text().splitlines() if line]


def verdict(figure, limit, ceiling):
    if figure <= limit:
        # A limit that holds has no place in the list any more.
        return "held, to be taken out of not_held.tsv" if ceiling is not None else "held"
    if ceiling is None:
        return "OVER ITS LIMIT"
    return "not held yet" if figure <= ceiling else f"WORSE THAN {shown(ceiling)}"


def shown(number):
    """Three digits that tell something, and no fewer than there are before the point."""
    digits = 0 if number == 0 else max(0, 2 - math.floor(math.log10(abs(number))))
    text = f"{number:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def main():
    not_held = {name: float(ceiling) for file in (NOT_HELD, *map(pathlib.Path, sys.argv[2:])) for name, ceiling in rows(file)}
    table = [("", "figure", "limit", "goal", ""), ("---", "---:", "---:", "---:", "---")]
    failed = False
    for name, *numbers in rows(pathlib.Path(sys.argv[1])):
        figure, limit, goal = map(float, numbers)
        said = verdict(figure, limit, not_held.get(name))
        failed |= said.isupper() or said.startswith("WORSE")
        table.append((name, shown(figure), shown(limit), shown(goal), said))
    for row in table:
        print("| " + " | ".join(row) + " |")
    sys.exit(failed)


if __name__ == "__main__":
    main()
