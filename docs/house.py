"""The picture of the house, drawn from the imports: docs/house.svg, and the table in docs/design.md.

    python docs/house.py            writes the picture anew
    python docs/house.py --check    says whether it is the one that the imports give

The floors are those that tests/test_architecture.py holds the imports to.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.test_architecture import DOORS, FLOORS, GROUND, ROOMS, STAGES, modules, ours, room  # noqa: E402

PICTURE = Path(__file__).with_name("house.svg")
WIDTH, BAND, BOX, LEFT = 1120, 112, 36, 150
NAMES = ((GROUND, "ground"), (ROOMS, "rooms"), (STAGES, "stages"), (DOORS, "doors"))


def graph() -> dict[str, set[str]]:
    """Which part of the house imports which others, each under its first name below `kb`."""
    found: dict[str, set[str]] = {}
    for module in filter(None, modules()):
        found.setdefault(room(module), set()).update(room(target) for target in ours(module))
    return {name: targets - {name} for name, targets in found.items()}


def table() -> str:
    """The same as a Markdown table, the doors first."""
    edges = graph()
    lines = ["| part | imports, the ground floor apart |", "|---|---|"]
    lines += [
        f"| `{name}` | {', '.join(f'`{one}`' for one in sorted(edges[name] - GROUND))} |"
        for floor in reversed(FLOORS[1:])
        for name in sorted(floor & edges.keys())
    ]
    return "\n".join(lines)


def picture() -> str:
    """The house as SVG: a band a floor, a box a part, a line an import. The ground floor is everybody's."""
    edges = graph()
    places: dict[str, tuple[float, float, float]] = {}
    shapes: list[str] = []
    floors = [sorted(floor & edges.keys()) for floor in reversed(FLOORS)]
    for level, names in enumerate(floors):
        top = level * BAND
        shapes.append(f'<rect class="band{level % 2}" x="0" y="{top}" width="{WIDTH}" height="{BAND}"/>')
        shapes.append(f'<text class="floor" x="16" y="{top + BAND / 2 + 5:g}">{_floor(names)}</text>')
        step = (WIDTH - LEFT - 20) / len(names)
        # Many parts of one floor stand in rows, so that their names keep their size.
        rows = 1 + (len(names) >= 9) + (len(names) >= 15)
        for at, name in enumerate(names):
            y = top + BAND / 2 + (at % rows - (rows - 1) / 2) * 37
            places[name] = LEFT + step * (at + 0.5), y, max(min(step - 12, 118), 9.0 * len(name) + 14)
    for name, (x, y, _) in places.items():
        for target in sorted(edges[name] - GROUND):
            below, under, _ = places[target]
            start, end = y + BOX / 2 - 4, under - BOX / 2 + 4
            bend = (start + end) / 2
            shapes.append(
                f'<path d="M{x:.0f} {start:.0f}C{x:.0f} {bend:.0f} {below:.0f} {bend:.0f}'
                f' {below:.0f} {end:.0f}"/>'
            )
    for name, (x, y, size) in places.items():
        shapes.append(
            f'<g><rect class="box" x="{x - size / 2:.0f}" y="{y - BOX / 2 + 4:.0f}" width="{size:.0f}"'
            f' height="{BOX - 8}" rx="5"/><text class="name" x="{x:.0f}" y="{y + 4:.0f}">{name}</text></g>'
        )
    height = BAND * len(floors)
    told = "The parts of kb, floor upon floor, and which imports which; docs/design.md has it as a table."
    style = (
        "text{font:14px ui-monospace,Menlo,Consolas,monospace;fill:#1f2933}"
        ".name{text-anchor:middle;font-size:13px}.floor{fill:#52606d;font-style:italic}.band0{fill:#f5f7fa}.band1{fill:#e9edf2}"
        ".box{fill:#fff;stroke:#52606d}path{fill:none;stroke:#2b6cb0;stroke-opacity:.35;stroke-width:1.4}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>{told}</title><style>{style}</style>\n" + "\n".join(shapes) + "\n</svg>\n"
    )


def _floor(names: list[str]) -> str:
    return next((told for floor, told in NAMES if floor & set(names)), "")


def main() -> int:
    """Write the picture, or check it."""
    if "--check" not in sys.argv[1:]:
        PICTURE.write_text(picture(), encoding="utf-8")
        return 0
    if PICTURE.is_file() and PICTURE.read_text(encoding="utf-8") == picture():
        return 0
    print("docs/house.svg is not what the imports give; make docs draws it anew", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
