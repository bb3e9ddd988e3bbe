"""CommonMark of a step as AsciiDoc, by pandoc: what pandoc cannot know is put into its tree beforehand.

Cross references, images in text, inline HTML and variables become raw AsciiDoc there, so that pandoc's writer escapes everything
else and none of them. Blocks that must be as they are stand as a word of their own while pandoc writes, which knows how to
attach them to lists, and are put in afterwards.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from agents.template_converter.exports.steps import Targets
from agents.template_converter.forms.anchors import UniqueAnchors
from shared_services.contracts.workshop import FenceInfo, parse_fence_info
from shared_services.pages.markdown import heading_slug

_ADMONITIONS = frozenset({"NOTE", "TIP", "WARNING", "IMPORTANT", "CAUTION"})
_VARIABLE = re.compile(r"\{\{([A-Za-z_][\w.-]*)\}\}")
_NAMED = re.compile(r"\{\{(?P<variable>[A-Za-z_][\w.-]*)\}\}|(?<![{\\])\{(?P<name>[A-Za-z_][\w.-]*)\}")
_PLACE = re.compile(r"^heldblock(\d+)x$", re.MULTILINE)
_CALLOUT = re.compile(r"<(?:\d+|\.|!--\d+--)>\s*$", re.MULTILINE)
_REPLACED = re.compile(r"(\.\.\.|(?<=\w)--(?=\w)|(?<!\S)--(?!\S)|(?<!-)->|(?<!=)=>|\((?:C|R|TM)\))")
_PLAIN_CODE = re.compile(r"(?!\s)[\w./@=,$ ;!?()%:-]+(?<!\s)")
_NOT_PLAIN = re.compile(r"://|(?:^|\W)_|_(?:\W|$)|__|\b(?:pass|link|xref|image|kbd|btn|menu|footnote|stem|icon|mailto):")
_DIRECTIVE = re.compile(r"^(?:include|ifdef|ifndef|ifeval|endif)::[^\s\[]*\[.*\][ \t]*$", re.MULTILINE)
"""Lines that AsciiDoc would take for its own, in code too."""
_READER = "gfm-smart-tex_math_dollars-emoji-yaml_metadata_block"


def to_asciidoc(text: str, targets: Targets, variables: frozenset[str], *, level: int = 1) -> str:
    """A text as AsciiDoc.

    Args:
        text: CommonMark in the neutral form, without its title.
        targets: Where links and images lead, as AsciiDoc's own: `xref:...`, `attachment$...`, or an image's path.
        variables: Names that are filled in at run time; they become attributes.
        level: Of the highest heading that the text may have: 1 is the first below the page's title.
    """
    import pypandoc

    tree = json.loads(pypandoc.convert_text(_held(text), "json", format=_READER, extra_args=["--preserve-tabs"]))
    writer = _Writer(targets, variables, level)
    tree["blocks"] = writer.blocks(tree["blocks"])
    made = pypandoc.convert_text(json.dumps(tree), "asciidoc", format="json", extra_args=["--wrap=preserve", "--preserve-tabs"])
    made = re.sub(r"^(heldblock\d+x)\n\n(?==)", r"\1\n", made, flags=re.MULTILINE)
    made = _PLACE.sub(lambda match: writer.held[int(match[1])], made.replace("\r\n", "\n"))
    return _DIRECTIVE.sub(r"\\\g<0>", made).strip("\n") + "\n"


def _held(text: str) -> str:
    """Info strings as one word: pandoc takes the first word of one alone, and what follows as attributes."""
    out = []
    mark = ""
    for line in text.split("\n"):
        match = re.match(r"^(?P<before>[\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)*)(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)$", line)
        if mark:
            if match and match["mark"].startswith(mark) and not match["info"].strip():
                mark = ""
        elif match:
            mark = match["mark"]
            line = f"{match['before']}{mark}{'_'.join(match['info'].split()).replace('=', '__is__')}"
        out.append(line)
    return "\n".join(out)


def _with_text_first(item: list[Any]) -> list[Any]:
    """An item of a list that begins with text: AsciiDoc takes a block only below some, be it nothing."""
    first = item[0] if item else None
    words = first["c"] if first and first["t"] in ("Para", "Plain") else []
    if len(words) == 1 and words[0]["t"] == "Str" and _PLACE.fullmatch(words[0]["c"]):
        return [{"t": "Para", "c": [{"t": "RawInline", "c": ["asciidoc", "{empty}"]}]}, *item]
    return item


def _info(classes: list[str]) -> FenceInfo:
    return parse_fence_info(classes[0].replace("__is__", "=").replace("_", " ")) if classes else FenceInfo()


class _Writer:
    """Puts raw AsciiDoc into a pandoc tree."""

    def __init__(self, targets: Targets, variables: frozenset[str], level: int) -> None:
        self._targets = targets
        self._variables = variables
        self._level = level
        self._anchors = UniqueAnchors("-")
        self._above: list[tuple[int, int]] = []
        self.held: list[str] = []

    def _hold(self, text: str) -> Any:
        self.held.append(text)
        return {"t": "Para", "c": [{"t": "Str", "c": f"heldblock{len(self.held) - 1}x"}]}

    def blocks(self, blocks: list[Any]) -> list[Any]:
        return [made for block in blocks for made in self._block(block)]

    def _block(self, block: Any) -> list[Any]:
        kind, content = block["t"], block.get("c")
        write = _BLOCKS.get(kind)
        return write(self, content) if write else [block]

    def _header(self, content: Any) -> list[Any]:
        level, _, inlines = content
        if not inlines:
            return []
        slug = heading_slug(_plain(inlines))
        made = {"t": "Header", "c": [self._depth(level), ["", [], []], self.inlines(inlines)]}
        # By itself Antora would name the section otherwise, and links from other pages would miss it.
        return [self._hold(f"[#{self._anchors.name(slug)}]"), made] if slug else [made]

    def _depth(self, level: int) -> int:
        """A heading's level: one below the heading that holds it, since AsciiDoc takes no level to be left out."""
        while self._above and self._above[-1][0] >= level:
            self._above.pop()
        depth = self._above[-1][1] + 1 if self._above else self._level
        self._above.append((level, depth))
        return min(depth, 5)

    def _code(self, content: Any) -> list[Any]:
        (_, classes, _), text = content
        info = _info(classes)
        roles = [f"execute-{info.target}" if info.target else "execute"] if info.executable else []
        roles += ["copypaste"] if info.copyable else []
        roles += ["output"] if info.output else []
        named = [name for name in dict.fromkeys(_VARIABLE.findall(text)) if name in self._variables]
        subs = ["attributes"] if named else []
        options = ["source", info.language] if info.language else ["listing"]
        if roles:
            options.append(f'role="{" ".join(roles)}"')
        if subs or _CALLOUT.search(text):
            options.append('subs="' + ("attributes,specialchars" if subs else "specialchars") + '"')
        if named:
            text = _NAMED.sub(self._attribute, text)
        mark = "-" * max(4, max((len(row) for row in text.split("\n") if row and not row.strip("-")), default=0) + 1)
        head = "" if options == ["listing"] else f"[{','.join(options)}]\n"
        return [self._hold(f"{head}{mark}\n{text}\n{mark}")]

    def _attribute(self, match: re.Match[str]) -> str:
        """A variable as an attribute; what only looks like an attribute is escaped."""
        if match["variable"] in self._variables:
            return f"{{{match['variable']}}}"
        return f"\\{match[0]}" if match["name"] in self._variables else match[0]

    def _quote(self, content: Any) -> list[Any]:
        first = content[0] if content else None
        label = first["c"][0]["c"] if first and first["t"] == "Para" and [row["t"] for row in first["c"]] == ["Strong"] else None
        word = _plain(label) if label else ""
        if label is None:
            return [{"t": "BlockQuote", "c": self.blocks(content)}]
        kind = word.lower().strip(":")
        if kind.upper() not in _ADMONITIONS or _nested(content):
            return [{"t": "BlockQuote", "c": self.blocks(content)}]
        return [{"t": "Div", "c": [["", [kind], []], self.blocks(content[1:])]}]

    def _list(self, kind: str) -> Callable[[Any], list[Any]]:
        def write(content: Any) -> list[Any]:
            head, items = (content[0], content[1]) if kind == "OrderedList" else (None, content)
            made = [_with_text_first(self.blocks(item)) for item in items]
            return [{"t": kind, "c": [head, made] if head is not None else made}]

        return write

    def _para(self, kind: str) -> Callable[[Any], list[Any]]:
        def write(content: Any) -> list[Any]:
            if len(content) == 1 and content[0]["t"] == "Image":
                return [self._hold(self._image(content[0]["c"], block=True))]
            return [{"t": kind, "c": self.inlines(content)}]

        return write

    def _table(self, content: Any) -> list[Any]:
        """A table, whose cells hold text alone: a block of its own has no place in them."""
        attributes, caption, columns, head, bodies, foot = content
        made = [head[0], [self._row(row) for row in head[1]]]
        rows = [[body[0], body[1], [self._row(row) for row in body[2]], [self._row(row) for row in body[3]]] for body in bodies]
        return [{"t": "Table", "c": [attributes, caption, columns, made, rows, [foot[0], [self._row(row) for row in foot[1]]]]}]

    def _row(self, row: Any) -> Any:
        return [row[0], [[*cell[:4], [self._in_cell(block) for block in cell[4]]] for cell in row[1]]]

    def _in_cell(self, block: Any) -> Any:
        return {"t": block["t"], "c": self.inlines(block["c"])} if block["t"] in ("Plain", "Para") else block

    def _html(self, content: Any) -> list[Any]:
        form, text = content
        if form != "html":
            return []
        return [] if text.strip().startswith("<!--") else [self._hold(f"++++\n{text.strip()}\n++++")]

    def inlines(self, inlines: list[Any]) -> list[Any]:
        made: list[Any] = []
        for number, inline in enumerate(inlines):
            if inline["t"] == "Code" and not set(_VARIABLE.findall(inline["c"][1])) & self._variables:
                before = _edge(inlines[number - 1], -1) if number else ""
                after = _edge(inlines[number + 1], 0) if number + 1 < len(inlines) else ""
                made.append(_raw_inline(inline_code(inline["c"][1], before, after)))
            else:
                made += self._inline(inline)
        return made

    def _inline(self, inline: Any) -> list[Any]:
        kind, content = inline["t"], inline.get("c")
        if kind == "Str":
            return self._words(content)
        if kind == "Link":
            return self._link(content)
        if kind == "Image":
            return [_raw_inline(self._image(content, block=False))]
        if kind == "RawInline":
            return [_raw_inline(f"+++{content[1]}+++")] if content[0] == "html" and not content[1].startswith("<!--") else []
        if kind == "Code" and (named := set(_VARIABLE.findall(content[1])) & self._variables):
            text = re.sub(r"[{]{2}(" + "|".join(map(re.escape, named)) + r")[}]{2}", r"{\1}", content[1])
            return [_raw_inline(f"``{text}``")]
        if kind in ("Emph", "Strong", "Strikeout", "Superscript", "Subscript", "SmallCaps", "Underline"):
            return [{"t": kind, "c": self.inlines(content)}]
        if kind in ("Quoted", "Span"):
            return [{"t": kind, "c": [content[0], self.inlines(content[1])]}]
        return [inline]

    def _words(self, text: str) -> list[Any]:
        made: list[Any] = []
        for number, part in enumerate(_VARIABLE.split(text)):
            if number % 2:
                made.append(_raw_inline(f"{{{part}}}") if part in self._variables else {"t": "Str", "c": f"{{{{{part}}}}}"})
            elif part:
                for index, word in enumerate(_REPLACED.split(part)):
                    made += [_raw_inline(f"\\{word}")] if index % 2 else [{"t": "Str", "c": word}] if word else []
        return made

    def _link(self, content: Any) -> list[Any]:
        _, inlines, (target, _) = content
        address = self._targets.of(target)
        if address == target and not target.startswith("#"):
            named = _VARIABLE.sub(
                lambda match: f"{{{match[1]}}}" if match[1] in self._variables else match[0],
                target.replace("%7B", "{").replace("%7D", "}"),
            )
            if named != target and "{" in named:
                return [_raw_inline(f"link:{named}["), *self.inlines(inlines), _raw_inline("]")]
            return [{"t": "Link", "c": [content[0], self.inlines(inlines), content[2]]}]
        macro = f"xref:{address}" if not target.startswith("#") else f"xref:{target}"
        return [_raw_inline(f"{macro}["), *self.inlines(inlines), _raw_inline("]")]

    def _image(self, content: Any, *, block: bool) -> str:
        _, inlines, (target, _) = content
        alt = _plain(inlines).replace("]", "\\]").replace('"', "")
        address = self._targets.of(target)
        quoted = f'"{alt}"' if "," in alt or "=" in alt else alt
        return f"image{'::' if block else ':'}{address.replace(' ', '%20')}[{quoted}]"


def kept_as_written(text: str) -> str:
    """A line of text in which AsciiDoc replaces no signs by others: `...` stays three dots."""
    return _REPLACED.sub(lambda match: f"\\{match[0]}", text)


def inline_code(text: str, before: str, after: str) -> str:
    """Code within a line, whose text AsciiDoc leaves as it is.

    Args:
        text: The code.
        before: The character before it; empty where there is none.
        after: The one after it.
    """
    loose = bool(re.match(r"[\w;:}\"'`]", before) or re.match(r"[\w\"'`]", after))
    mark = "``" if loose else "`"
    plain = _PLAIN_CODE.fullmatch(text) and not _REPLACED.search(text) and not _NOT_PLAIN.search(text)
    if plain:
        return f"{mark}{text}{mark}"
    if not loose and not re.search(r"[+`\\]|^\s|\s$|\n", text):
        return f"`+{text}+`"
    return f"{mark}pass:c[{text.replace(']', chr(92) + ']')}]{mark}"


def _edge(inline: Any, index: int) -> str:
    """The character of a neighbour that touches; none where it is no text."""
    return str(inline["c"])[index] if inline["t"] == "Str" and inline["c"] else ""


def _raw_inline(text: str) -> Any:
    return {"t": "RawInline", "c": ["asciidoc", text]}


def _nested(blocks: list[Any]) -> bool:
    """Whether a quote holds another one: their delimiters would be the same."""
    return any(block["t"] == "BlockQuote" or _nested([row for item in _items(block) for row in item]) for block in blocks)


def _items(block: Any) -> list[Any]:
    if block["t"] == "BulletList":
        return list(block["c"])
    return list(block["c"][1]) if block["t"] == "OrderedList" else []


def _plain(inlines: list[Any]) -> str:
    parts = []
    for inline in inlines:
        kind, content = inline["t"], inline.get("c")
        if kind == "Str":
            parts.append(content)
        elif kind in ("Space", "SoftBreak", "LineBreak"):
            parts.append(" ")
        elif kind == "Code":
            parts.append(content[1])
        elif kind in ("Link", "Image", "Span", "Quoted"):
            parts.append(_plain(content[1]))
        elif isinstance(content, list):
            parts.append(_plain([row for row in content if isinstance(row, dict)]))
    return "".join(parts)


_BLOCKS: dict[str, Callable[[_Writer, Any], list[Any]]] = {
    "Header": _Writer._header,  # noqa: SLF001  its own table
    "CodeBlock": _Writer._code,  # noqa: SLF001
    "BlockQuote": _Writer._quote,  # noqa: SLF001
    "Table": _Writer._table,  # noqa: SLF001
    "RawBlock": _Writer._html,  # noqa: SLF001
    "BulletList": lambda writer, content: writer._list("BulletList")(content),  # noqa: SLF001
    "OrderedList": lambda writer, content: writer._list("OrderedList")(content),  # noqa: SLF001
    "Para": lambda writer, content: writer._para("Para")(content),  # noqa: SLF001
    "Plain": lambda writer, content: writer._para("Plain")(content),  # noqa: SLF001
}
