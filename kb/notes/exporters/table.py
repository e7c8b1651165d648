"""CSV: a link a row, for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from kb.notes.exporters.base import Exported, Exporter

_COLUMNS = ("url", "title", "date", "tags", "kind", "host", "standing", "path", "line")


def write(links: Sequence[Exported]) -> str:
    """A header and a row a link, RFC 4180 but for the line ends."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for link in links:
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
    return text.getvalue()


EXPORTER = Exporter("csv", "CSV, a link a row", write)
