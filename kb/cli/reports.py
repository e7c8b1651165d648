"""What a command did, in a sentence or two."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kb.cli.clean import plain, plain_lines
from kb.cli.render import diff, styled
from kb.model.kinds import Standing
from kb.model.links import Added, Saved, Verdict
from kb.model.reports import SyncReport

if TYPE_CHECKING:
    from kb.knowledge import (
        BackedUp,
        EnrichReport,
        Export,
        ImportPlan,
        InitPlan,
        RepairPlan,
        Restored,
        TitlePlan,
    )

Shown = Callable[[str], str]


def count(number: int, thing: str) -> str:
    """`1 note`, `2 notes`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def synced(report: SyncReport) -> str:
    """What a sync did, and what is left to do."""
    notes = report.added + report.changed + report.renamed + report.unchanged
    lines = [
        f"{count(notes, 'note')} ({', '.join(_changes(report)) or 'none changed'}), "
        f"{count(report.passages, 'passage')}, {count(report.links, 'link')}"
    ]
    if report.embedded:
        lines[0] += f"; embedded {report.embedded:,}"
    if report.notice:
        lines.append(plain(report.notice))
    elif report.pending:
        lines.append(f"{count(report.pending, 'passage')} not embedded yet; kb sync embeds them")
    return "\n".join(lines)


def seen(report: SyncReport) -> str:
    """What one change was, while watching: the time, the notes, the passages embedded."""
    words = _changes(report)
    if report.embedded:
        words = [f"{report.embedded:,} embedded"]
    elif report.notice:
        words = [report.notice]
    return f"{time.strftime('%H:%M:%S')}  {', '.join(words) or 'read'}"


def _changes(report: SyncReport) -> list[str]:
    """`1,200 new`, `3 changed`: what is not nought."""
    numbers = {
        "new": report.added,
        "changed": report.changed,
        "renamed": report.renamed,
        "deleted": report.deleted,
    }
    return [f"{number:,} {word}" for word, number in numbers.items() if number]


#: As `kb log` has it.
_TURNED = {
    Standing.DEAD: "died",
    Standing.SUSPECT: "failed",
    Standing.MOVED: "moved",
    Standing.ALIVE: "revived",
}


def checked(counts: Mapping[Verdict, int], turned: Mapping[Standing, int], not_due: int) -> str:
    """How many links were looked at, with what verdict, and what of it is news."""
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts.get(verdict))
    looked = f"looked at {count(sum(counts.values()), 'link')}" + (f": {told}" if told else "")
    news = ", ".join(f"{turned[one]} {word}" for one, word in _TURNED.items() if turned.get(one))
    looked += f"; new: {news}" if news else ""
    return looked + (f"; {not_due} not due yet (--all looks at them too)" if not_due else "")


def repaired(plan: RepairPlan, applied: bool) -> str:
    """How many links were or would be rewritten, and which cannot be."""
    verb = "rewrote" if applied else "would rewrite"
    changes = count(len(plan.changes), "link") + f" in {count(len(plan.edits), 'note')}"
    lines = [f"{verb} {changes}" if plan.edits else "no link to rewrite"]
    lines += [f"no copy of {plain(link.url)}" for link in plan.lost]
    if plan.silent:
        lines.append(f"the archive did not answer for {count(plan.silent, 'link')}; try again later")
    if plan.edits and not applied:
        lines.append("kb repair --apply   writes it")
    return "\n".join(lines)


def added(value: Added, shown: Shown, dry_run: bool) -> str:
    """Where the link was put, or where it stands already."""
    if value.known:
        title = f"  {plain(value.title)}" if value.title else ""
        return f"already in {shown(value.path)}:{value.line}{title}"
    place = shown(value.path) + (f":{value.line}" if value.line else "")
    if value.text:
        body = [plain_lines(value.text.rstrip("\n"))] if dry_run else []
        lines = [f"{'would start' if dry_run else 'started'} {place}", *body]
    else:
        lines = [f"{'would add to' if dry_run else 'added to'} {place}", f"    * {plain(value.bullet)}"]
    lines += [f"    see also {shown(one.path)}:{one.line}  {plain(one.url)}" for one in value.paired]
    return "\n".join(lines)


def would_start(path: str, text: str, shown: Shown) -> str:
    """The note that would be started, and how it would begin."""
    return "\n".join([f"would start {shown(path)}", plain_lines(text.rstrip("\n"))])


def enriched(report: EnrichReport) -> str:
    """How much was learnt, and how much was known already."""
    told = f"asked about {count(len(report.links), 'link')}: {count(report.titled, 'new title')}"
    told += f", {count(report.texts, 'text')} kept"
    return told + (f"; {report.known} known already (--all asks again)" if report.known else "")


def titles(plan: TitlePlan, shown: Shown, applied: bool) -> str:
    """The diff, or what was written."""
    if not plan.edits and not plan.problems:
        return "no bare address has a title yet\n"
    if applied:
        return "".join(f"wrote {shown(one.path)}\n" for one in plan.edits)
    return diff(plain_lines("".join(one.diff for one in plan.edits)))


def saved_page(page: Saved) -> str:
    """The text under its title, address and date."""
    head = f"{styled(plain(page.title), 'bold')}\n{plain(page.url)}\nread {page.fetched[:10]}"
    body = page.text or page.abstract
    return "\n".join([head, "", *(plain(line) for line in body.split("\n"))])


def imported(plan: ImportPlan, shown: Shown, dry_run: bool, failed: Collection[str] = ()) -> str:
    """The files an import writes but for those that `failed`, those that stand already, those left alone."""
    verb = "would write" if dry_run else "wrote"
    lines = [
        f"{verb} {shown(write.draft.path)}"
        + ("  (a copy)" if write.draft.copy else "")
        + ("  (overwriting)" if write.before else "")
        for write in plan.writes
        if write.draft.path not in failed
    ]
    lines += [f"{verb} {shown(copy.path)}  (a copy)" for copy in plan.copies if copy.path not in failed]
    written = len(lines)
    lines += [f"already there {shown(path)}" for path in plan.same]
    lines += [f"left alone {shown(path)}" for path in plan.refused]
    if dry_run:
        for write in plan.writes:
            if write.draft.copy:
                continue  # the person can look at the file itself
            lines += ["", styled(f"--- {shown(write.draft.path)}", "bold")]
            text = write.draft.data.decode("utf-8", "replace").expandtabs(4)
            lines.append(plain_lines(text.rstrip("\n")))
    elif written:
        lines.append("kb sync reads them")
    return "\n".join(lines)


def exported(value: Export, output: str | None) -> str:
    """How many links were written where, and what was left out and why."""
    lines = [f"{count(value.count, 'link')} written to {output}"] if output else []
    if value.private:
        stand = f"{count(value.private, 'link')} of private notes left out; --private takes them in"
        lines.append(stand)
    if value.other:
        lines.append(f"{count(value.other, 'link')} left out: internal, or not for this format")
    return "\n".join(lines)


def configured(path: Path, origin: str, changed: bool, taken: bool, *, unset: bool) -> str:
    """In which file a key was set, or taken out of; what goes before it, where something does; and
    whether it was taken out of kb.toml, where it may no longer stand.
    """
    if unset:
        return f"{'taken out of' if changed else 'does not stand in'} {path}"
    lines = [f"set in {path}"]
    if taken:
        lines.append("taken out of kb.toml, where it may no longer stand")
    if origin != "kb.toml" and not origin.startswith(str(path)):
        lines.append(f"{origin} goes before it and holds")
    return "\n".join(lines)


def backed_up(value: BackedUp) -> str:
    """How much was written where."""
    return f"{count(value.files, 'file')}, {megabytes(value.size)}, in {value.path}"


def restored(value: Restored, folder: str, dry_run: bool) -> str:
    """What was written, or would be, and what to type next."""
    verb = "would write" if dry_run else "wrote"
    told = [
        f"{verb} {count(len(value.written) + len(value.replaced), 'file')} of the backup of {value.made[:10]}"
    ]
    if value.replaced:
        told.append(f"{'to replace' if dry_run else 'replaced'}: " + ", ".join(map(plain, value.replaced)))
    if value.same:
        told.append(f"{count(len(value.same), 'file')} stood there already")
    if not dry_run:
        told += ["", "next: " + ("" if folder == "." else f"cd {shlex.quote(folder)} && ") + "kb sync"]
    return "\n".join(told)


def megabytes(size: int) -> str:
    """`12.3 MB`, `4 kB`."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"


def initialised(plan: InitPlan, dry_run: bool) -> str:
    """What a new notebook consists of, and what to type next."""
    verb = "would write" if dry_run else "wrote"
    lines = [f"{verb} {path}" for path, _ in plan.writes]
    lines += [f"kept {path}" for path in plan.kept]
    if plan.adopted:
        as_found = "it is" if plan.adopted == 1 else "they are"
        lines.append(f"{count(plan.adopted, 'note')} adopted as {as_found}")
    if plan.among:
        lines += [
            "",
            f"this folder lies among the notes of {plain(str(plan.among))}, which reads its notes, too",
        ]
    if plan.lacking:
        told = "\n".join(f"    {line}" for line in plan.lacking.splitlines())
        lines += ["", f"your mkdocs.yml lacks the plugin that makes the site; add to it:\n{told}"]
    if not dry_run:
        there = "" if os.path.realpath(plan.root) == os.getcwd() else f"cd {shlex.quote(str(plan.root))} && "
        lines += ["", f'next: {there}kb search "what you remember of a note"']
    return "\n".join(lines)
