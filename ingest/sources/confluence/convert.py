"""The storage format of Confluence as HTML for the HTML parser: what a reader of the page sees, as far as it is there.

Macros keep their text and lose their parameters. What a macro would bring from elsewhere (other pages, Jira, search) is
not in the storage format, and so never comes in: its readers may be others.

Elements: https://confluence.atlassian.com/doc/confluence-storage-format-790796544.html
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from html.entities import html5
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from ingest.parsers.interface import ParseError

DEPTH = 100
"""Of elements within one another; deeper ones are read as their text alone."""

BLOCKS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "pre"})
TABLES = frozenset({"table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "th", "td"})
INLINE = frozenset({"strong", "b", "em", "i", "u", "s", "del", "ins", "sub", "sup", "br", "hr", "a", "code", "kbd"})
KEPT = BLOCKS | TABLES | INLINE
VOID = frozenset({"br", "hr", "col"})
ATTRIBUTES = frozenset({"href", "colspan", "rowspan", "start", "style"})
"""`style` goes on to the parser, which leaves out what it hides."""

UNSEEN = frozenset({"ac:parameter", "ac:default-parameter", "ac:placeholder", "ac:task-id", "ac:task-uuid", "script"})
ADF = frozenset({"ac:adf-attribute", "ac:adf-parameter", "ac:adf-mark", "style"})
"""Settings of the new editor's nodes, and of a browser."""
DROPPED = UNSEEN | ADF
MACROS = ("ac:structured-macro", "ac:macro")
CODE_MACROS = ("code", "noformat")
MARKUP_MACROS = ("html", "html-include", "style", "css", "javascript")
"""Their body is for a browser, not for a reader."""
TITLED_MACROS = (*CODE_MACROS, "panel", "info", "note", "tip", "warning", "success", "error", "expand", "ui-expand")
FILE_MACROS = ("view-file", "viewpdf", "viewdoc", "viewxls", "viewppt", "multimedia")

EMOTICONS = {
    **{"smile": "🙂", "sad": "🙁", "cheeky": "😛", "laugh": "😃", "wink": "😉", "heart": "❤", "broken-heart": "💔"},
    **{"thumbs-up": "👍", "thumbs-down": "👎", "information": "ℹ", "tick": "✅", "cross": "❌", "warning": "⚠"},
    **{"plus": "➕", "minus": "➖", "question": "❓", "light-on": "💡", "light-off": "💡", "yellow-star": "⭐"},
    **{"red-star": "★", "green-star": "★", "blue-star": "★"},
}
"""The named ones of the old editor, as signs; in a table a tick is often all that a cell says."""

UNKNOWN_PERSON = "…"

ENTITY = re.compile(r"<!\[CDATA\[.*?(?:\]\]>|\Z)|&([A-Za-z][A-Za-z0-9]*);", re.S)
XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML does not allow."""

LANGUAGE = re.compile(r"[A-Za-z0-9+#-]{1,20}")


def to_html(storage: str, *, title: str, names: Mapping[str, str] | None = None) -> str:
    """A page as HTML; `names` are those of `mentioned` people. A page without text is its title.

    Raises `ParseError`.
    """
    body = "".join(_Writer(names or {}).content(_tree(storage), 0))
    if not re.sub(r"<[^>]*>", "", body).strip():
        body = f"<h1>{html.escape(title)}</h1>"
    return f'<!doctype html>\n<html><head><meta charset="utf-8"></head><body>{body}</body></html>'


def mentioned(storage: str) -> frozenset[str]:
    """Keys of the people whom a page names. Raises `ParseError`."""
    return frozenset(key for user in _tree(storage).iter("ri:user") if (key := _account(user)))


def _tree(storage: str) -> Element:
    builder = TreeBuilder()
    parser = expat.ParserCreate()  # without namespaces: prefixes are part of the names
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(f"<page>{ENTITY.sub(_character, CONTROL.sub('', storage))}</page>", True)
    except expat.ExpatError as error:
        raise ParseError(
            f"its storage format is not well-formed ({error}); save the page again in Confluence"
        ) from error
    return builder.close()


def _character(found: re.Match[str]) -> str:
    name = found[1]
    if name is None or name in XML_ENTITIES:
        return found[0]
    return html.escape(html5.get(f"{name};", f"&{name};"))


class _Writer:
    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def content(self, element: Element, depth: int) -> Iterator[str]:
        """What is in an element: text and children in turn."""
        if element.text:
            yield html.escape(element.text, quote=False)
        for child in element:
            if depth < DEPTH:
                yield from self._element(child, depth + 1)
            else:
                yield html.escape(_text(child), quote=False)
            if child.tail:
                yield html.escape(child.tail, quote=False)

    def _element(self, element: Element, depth: int) -> Iterable[str]:
        tag = element.tag
        if tag in KEPT:
            return self._kept(element, depth)
        if tag in MACROS:
            return self._macro(element, depth)
        if tag in DROPPED:
            return ()
        if (special := _SPECIAL.get(tag)) is not None:
            return special(self, element, depth)
        return self.content(element, depth)

    def _kept(self, element: Element, depth: int) -> Iterator[str]:
        attributes = "".join(
            f' {name}="{html.escape(value)}"'
            for name, value in element.attrib.items()
            if name in ATTRIBUTES and (name != "href" or _opens(value))
        )
        yield f"<{element.tag}{attributes}>"
        if element.tag not in VOID:
            yield from self.content(element, depth)
            yield f"</{element.tag}>"

    def _macro(self, macro: Element, depth: int) -> Iterator[str]:
        name = macro.get("ac:name", "").lower()
        said = {each.get("ac:name", ""): _text(each).strip() for each in _parts(macro, "ac:parameter")}
        if said.get("hidden", "").lower() == "true" or name in MARKUP_MACROS:
            return
        if name == "status":
            yield html.escape(said.get("title", ""))
        elif name == "jira" and said.get("key"):
            yield html.escape(said["key"])
        elif name in FILE_MACROS:
            yield from map(html.escape, _files(macro))
        if name in TITLED_MACROS and said.get("title"):
            yield f"<p><strong>{html.escape(said['title'])}</strong></p>"
        for body in _parts(macro, "ac:plain-text-body"):
            yield _code(_text(body), said.get("language", "") if name in CODE_MACROS else "")
        for body in _parts(macro, "ac:rich-text-body"):
            yield f"<div>{''.join(self.content(body, depth))}</div>"

    def link(self, link: Element, depth: int) -> Iterator[str]:
        """Its own words, else what it leads to."""
        plain = [html.escape(_text(body)) for body in _parts(link, "ac:plain-text-link-body")]
        rich = ["".join(self.content(body, depth)) for body in _parts(link, "ac:link-body")]
        words = "".join(plain + rich)
        yield words if words.strip() else html.escape(self._target(link))

    def _target(self, link: Element) -> str:
        for target in link:
            if target.tag == "ri:user":
                return f"@{self._names.get(_account(target)) or UNKNOWN_PERSON}"
            for name in ("ri:content-title", "ri:filename", "ri:space-key", "ri:value"):
                if target.get(name):
                    return target.get(name, "")
        return link.get("ac:anchor", "")

    def image(self, image: Element, depth: int) -> Iterator[str]:
        """Its description, else the name of its file; then its caption."""
        files = [] if image.get("ac:alt") or image.get("ac:title") else [*_files(image)]
        yield html.escape(image.get("ac:alt") or image.get("ac:title") or " ".join(files))
        for caption in _parts(image, "ac:caption"):
            yield f"<p>{''.join(self.content(caption, depth))}</p>"

    def tasks(self, tasks: Element, depth: int) -> Iterator[str]:
        yield f"<ul>{''.join(self.content(tasks, depth))}</ul>"

    def task(self, task: Element, depth: int) -> Iterator[str]:
        done = any(_text(status).strip() == "complete" for status in _parts(task, "ac:task-status"))
        bodies = "".join("".join(self.content(body, depth)) for body in _parts(task, "ac:task-body"))
        rest = "".join("".join(self.tasks(below, depth)) for below in _parts(task, "ac:task-list"))
        yield f"<li>{'[x]' if done else '[ ]'} {bodies}{rest}</li>"

    def emoticon(self, emoticon: Element, depth: int) -> Iterator[str]:
        fallback = emoticon.get("ac:emoji-fallback", "")
        if fallback and not fallback.startswith(":"):
            yield html.escape(fallback)
        else:
            yield EMOTICONS.get(emoticon.get("ac:name", ""), html.escape(fallback))

    def time(self, time: Element, depth: int) -> Iterator[str]:
        words = "".join(self.content(time, depth))
        yield words if words.strip() else html.escape(time.get("datetime", ""))

    def extension(self, extension: Element, depth: int) -> Iterator[str]:
        """A node of the new editor, with the same content once more for the old one."""
        fallbacks = [*_parts(extension, "ac:adf-fallback")]
        for part in fallbacks or [extension]:
            yield f"<div>{''.join(self.content(part, depth))}</div>"

    def block(self, element: Element, depth: int) -> Iterator[str]:
        yield f"<div>{''.join(self.content(element, depth))}</div>"


_SPECIAL: dict[str, Callable[[_Writer, Element, int], Iterable[str]]] = {
    "ac:link": _Writer.link,
    "ac:image": _Writer.image,
    "ac:task-list": _Writer.tasks,
    "ac:task": _Writer.task,
    "ac:emoticon": _Writer.emoticon,
    "time": _Writer.time,
    "ac:adf-extension": _Writer.extension,
    "ac:layout-section": _Writer.block,
    "ac:layout-cell": _Writer.block,
    "ac:adf-content": _Writer.block,
    "div": _Writer.block,
}


def _parts(element: Element, tag: str) -> Iterator[Element]:
    """Not `iterfind`, which takes the colon in a name for a path's."""
    return (child for child in element if child.tag == tag)


def _text(element: Element) -> str:
    return "".join(element.itertext())


def _account(user: Element) -> str:
    return user.get("ri:account-id") or user.get("ri:userkey") or user.get("ri:username") or ""


def _files(element: Element) -> Iterator[str]:
    return (file.get("ri:filename", "") for file in element.iter("ri:attachment"))


def _code(text: str, language: str) -> str:
    kind = f' class="language-{language}"' if LANGUAGE.fullmatch(language) else ""
    return f"<pre><code{kind}>{html.escape(text, quote=False)}</code></pre>"


def _opens(address: str) -> bool:
    try:
        return urlsplit(address).scheme in ("http", "https", "mailto", "")
    except ValueError:
        return False
