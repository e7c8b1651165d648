"""What the site shows, as Markdown: pure functions of plain values."""
