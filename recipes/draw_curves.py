"""Draw the curves of docs/results.md from its tables.

    python recipes/draw_curves.py

What is drawn is what the document says: a number is changed there, and the
recipe run again.
"""

import dataclasses
import pathlib

from visualpoet import run_options
from visualpoet import templating
from visualpoet.evaluation import charts
from visualpoet.run_options import option

LONGEST_BAR = 270  # of the 340 pixels that a picture is wide

Row = dict[str, str]


@dataclasses.dataclass(frozen=True)
class Config:
    """Draw the curves of docs/results.md from its tables."""

    document: pathlib.Path = option(
        pathlib.Path("docs/results.md"), "its tables are read"
    )
    run_dir: pathlib.Path = option(pathlib.Path("docs/curves"), "output")


def read_table(text: str, *columns: str) -> list[Row]:
    """Reads a table of a document.

    Args:
        text: The document, in Markdown.
        *columns: Its columns; the first table that has them all is read.

    Returns:
        Cells by column, a row each.

    Raises:
        ValueError: If no table has these columns.
    """
    lines = [_cells(line) for line in text.splitlines()]
    for start, header in enumerate(lines):
        if set(columns) <= set(header):
            rest = lines[start + 2 :]  # below the line of dashes
            end = next((i for i, row in enumerate(rest) if not row), len(rest))
            return [dict(zip(header, row)) for row in rest[:end]]
    raise ValueError(
        f"expected a table with the columns {', '.join(columns)}. Received: "
        "none in the document; name them as its header does"
    )


def _cells(line: str) -> list[str]:
    """Cells of a row; none if the line is not one of a table."""
    if not line.startswith("|"):
        return []
    return [cell.strip() for cell in line.strip("|").split("|")]


def read_number(cell: str) -> float:
    """Reads a cell.

    Args:
        cell: As `3,482 MB` or `51.8 %`.

    Returns:
        Its number, without the unit.
    """
    return float(cell.split()[0].replace(",", ""))


def draw_bars(rows: list[Row], column: str, title: str, note: str) -> str:
    """Draws a bar a row.

    Args:
        rows: Of a table; the first column, without a name, has theirs.
        column: What is drawn.
        title: Above the picture.
        note: Below the title.

    Returns:
        SVG.
    """
    values = [read_number(row[column]) for row in rows]
    bars = [
        {
            "name": row[""],
            "value": row[column],
            "length": round(LONGEST_BAR * value / max(values), 1),
        }
        for row, value in zip(rows, values)
    ]
    return templating.render("bars.svg", title=title, note=note, bars=bars)


def draw_lines(
    rows: list[Row],
    x: str,
    columns: list[str],
    title: str,
    note: str,
    label: str = "",
) -> str:
    """Draws a line a column.

    Args:
        rows: Of a table.
        x: The column along which they go.
        columns: What is drawn.
        title: Above the picture.
        note: Below the title.
        label: The column that names the points; none by default.

    Returns:
        SVG.
    """
    rows = sorted(rows, key=lambda row: read_number(row[x]))
    places = [read_number(row[x]) for row in rows]
    lines = {
        column: charts.over_seeds(
            [[(p, read_number(row[column])) for p, row in zip(places, rows)]]
        )
        for column in columns
    }
    return templating.render(
        "lines.svg",
        panel=charts.panel(title, lines),
        note=note,
        x_title=x,
        labels=[row[label] for row in rows] if label else [],
        size=(charts.WIDTH, charts.HEIGHT),
        frame=(charts.LEFT, charts.RIGHT, charts.TOP, charts.BOTTOM),
    )


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    text = config.document.read_text(encoding="utf-8")
    pictures = {
        "speed": draw_bars(
            read_table(text, "milliseconds", "photographs a second"),
            "photographs a second",
            "Photographs a second",
            "version 6, two cores",
        ),
        "lambda": draw_lines(
            read_table(text, "lambda"),
            "lambda",
            ["relevance", "captions, MiniLM", "captions, TF-IDF"],
            "Relevance by lambda",
            "means over three seeds; captions in %",
        ),
        "clues": draw_lines(
            read_table(text, "weight of clues"),
            "mean log probability",
            ["MiniLM", "TF-IDF"],
            "Relevance against language [%]",
            "version 2; each point with its weight of clues",
            "weight of clues",
        ),
    }
    config.run_dir.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        file = config.run_dir / f"{name}.svg"
        file.write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main(run_options.parse_config(Config))
