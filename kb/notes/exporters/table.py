"""CSV: a link a row, for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from kb.notes.exporters.base import Exported, Exporter

_COLUMNS = ("url", "title", "date", "tags", "kind", "host", "standing", "path", "line")


def write(links: Iterable[Exported]) -> Iterator[str]:
    """A header and a row a link, RFC 4180 but for the line ends."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_COLUMNS)
    yield text.getvalue()
    for link in links:
        text.seek(0)
        text.truncate()
        record = link.record
        place = record.mentions[0]
        rows.writerow(
            (
                link.url,
                link.title,
                link.when or "",
                ",".join(link.tags),
                record.kind,
                record.host,
                record.standing,
                place.path,
                place.line,
            )
        )
        yield text.getvalue()


EXPORTER = Exporter("csv", "CSV, a link a row", write)
