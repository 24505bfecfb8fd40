"""Translations gathered and compiled by Babel, so that a machine needs no gettext."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

PACKAGES = ("bank", "clients", "surveys", "metrics", "care", "cxportal")
_KEYWORDS = DEFAULT_KEYWORDS | {
    f"{name}_lazy": DEFAULT_KEYWORDS[name] for name in ("gettext", "ngettext", "pgettext")
}
_KEYWORDS["gettext_noop"] = None


def gather(root: Path) -> Catalog:
    """Every message for people in code and templates, with the files it comes from."""
    found = Catalog(project="cxportal", charset="utf-8")
    for path in _sources(root):
        place = path.relative_to(root).as_posix()
        for _line, message, _comments, context in extract(
            "python", _code(path), keywords=_KEYWORDS
        ):
            found.add(message, locations=[(place, 0)], context=context)
    return found


def update(root: Path, language: str) -> Path:
    """Bring one language's catalogue up to the messages in use; kept where still in use."""
    path = root / "locale" / language / "LC_MESSAGES" / "django.po"
    catalogue = Catalog(locale=language)
    if path.exists():
        catalogue = _read(path, language)
    catalogue.update(gather(root), no_fuzzy_matching=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(
            file, catalogue, sort_output=True, ignore_obsolete=True, width=99, include_lineno=False
        )
    return path


def compile_all(folder: Path) -> list[Path]:
    """Compile each catalogue that is newer than its compiled form; return those compiled."""
    done = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        # Two processes may do this at once: each writes its own file and moves it in place.
        fresh = target.with_suffix(f".{os.getpid()}")
        with fresh.open("wb") as binary:
            write_mo(binary, _read(source, source.parent.parent.name))
        fresh.replace(target)
        done.append(target)
    return done


def _read(path: Path, language: str) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language)


def _sources(root: Path) -> Iterator[Path]:
    """Product code and templates; tests and migrations say nothing to people."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path
        yield from sorted((root / package).rglob("*.html"))
    for kind in ("*.html", "*.txt"):
        yield from sorted((root / "templates").rglob(kind))


def _code(path: Path) -> io.BytesIO:
    """The file as Python; of a template only its messages are left, as calls of gettext."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        text = "\n".join(line.strip() for line in templatize(text, origin=str(path)).splitlines())
    return io.BytesIO(text.encode())
