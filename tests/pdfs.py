"""Small PDFs for the tests, made by hand."""

from __future__ import annotations


def pdf(**info: str) -> bytes:
    """A PDF of one empty page with this in its information dictionary."""
    marked = {name: "\ufeff" + value for name, value in info.items()}
    entries = " ".join(f"/{name} <{value.encode('utf-16-be').hex()}>" for name, value in marked.items())
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
        f"<< {entries} >>",
    ]
    out = b"%PDF-1.4\n"
    places = []
    for number, text in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{text}\nendobj\n".encode()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    start = len(out)
    out += f"xref\n0 {size}\n0000000000 65535 f \n{table}".encode()
    out += f"trailer\n<< /Size {size} /Root 1 0 R /Info 4 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    return out
