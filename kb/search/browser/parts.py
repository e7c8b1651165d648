"""Files as the browser fetches them: compressed by ourselves, named for what they hold."""

from __future__ import annotations

import zlib
from hashlib import blake2b
from typing import NamedTuple


class Part(NamedTuple):
    """A file. `name` changes with its content, so that it may be cached for ever; `data` is what is sent.

    Compressed here, since many hosts leave binary files as they are.
    """

    name: str
    data: bytes

    @property
    def entry(self) -> list[str | int]:
        """Name and bytes on the way, as the list of files has them."""
        return [self.name, len(self.data)]


def part(kind: str, content: bytes, *, noise: bool = False) -> Part:
    """`content` as a file whose name begins with `kind`.

    `noise` says that it is numbers without a pattern, of which only some are more frequent than
    others: looking for repetitions would cost nine tenths of the time and gain nothing.
    """
    strategy = zlib.Z_HUFFMAN_ONLY if noise else zlib.Z_DEFAULT_STRATEGY
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 9, strategy)
    name = f"{kind}-{blake2b(content, digest_size=8).hexdigest()}.bin"
    return Part(name, packer.compress(content) + packer.flush())
