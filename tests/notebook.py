"""A notebook for the tests, of the shape of real notes: tabs, dated headings, threads, a glossary."""

from __future__ import annotations

from pathlib import Path

THREAD = """---
title: Adapting Llama 2 at home
date: 2023-09
kind: hn-thread
tags: [fine-tuning, qlora]
---

## September 2023
### A study and what people said of it
* August 11, 2023 [case study](https://blog.example/fine-tuning-llama-2) of three narrow tasks
\t* [HN thread](https://news.ycombinator.com/item?id=37090632)
\t* [HN comment](https://news.ycombinator.com/item?id=37091602): tasks by tuning, knowledge by retrieval
\t\t* This 7/17/2023 [rant](https://rants.example/p/retrieval-first) says so at length
\t* [HN comment](https://news.ycombinator.com/item?id=37091586): a 12 GB RTX 3060 has VRAM enough for qlora
"""

PAPER = """---
title: QLoRA
date: 2023-09-02
kind: paper
tags: [qlora]
---

# QLoRA

* [The paper](https://arxiv.org/abs/2305.14314) trains adapters over a frozen 4-bit model
* 7/05/2023 [Form, not facts](https://blog.example/form-not-facts): what tuning changes
"""

GLOSSARY = """---
title: Words
kind: glossary
---

* [PEFT](https://words.example/peft) = Parameter-Efficient Fine-Tuning.
* [RAG](https://words.example/rag) = Retrieval-Augmented Generation. From IBM: \
'fetched passages ground the model's answer in facts that can be checked.'
"""

TUTORIAL = """---
title: Tutorials
kind: tutorial
tags: [speech]
---

### March 29, 2023
* To go through
\t* [Whisper.cpp](https://github.com/ggerganov/whisper.cpp) turns speech into text on a Mac
\t* A channel with recordings: https://www.youtube.com/@jaredthecoder

### March 30, 2023
* See also [setup](/python)
"""

NOTES = {
    "threads/llama-2.md": THREAD,
    "papers/qlora.md": PAPER,
    "glossary.md": GLOSSARY,
    "tutorials/2023-03-tutorials.md": TUTORIAL,
}


def write_notebook(root: Path, notes: dict[str, str] = NOTES) -> Path:
    """Write kb.toml and the notes under `root`; returns `root`."""
    (root / "notes").mkdir(parents=True)
    (root / "kb.toml").write_text('[notebook]\ntitle = "Test notes"\n')
    for path, text in notes.items():
        target = root / "notes" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
    return root
