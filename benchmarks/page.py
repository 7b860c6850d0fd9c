"""The page that the measurements are written into."""

from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"


def write(part, lines):
    """Puts lines between the two marks of a part, in place of those that stand there."""
    begin, end = f"<!-- {part}: begin -->", f"<!-- {part}: end -->"
    text = PAGE.read_text()
    before, after = text.split(begin)[0], text.split(end)[1]
    PAGE.write_text("\n".join([before + begin, "", *lines, "", end + after]))
