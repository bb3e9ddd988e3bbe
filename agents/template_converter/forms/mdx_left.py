"""JavaScript that stays in a page's text after conversion: what the site would fill in there is told by kind."""

import re

from agents.template_converter.forms.lines import Line
from agents.template_converter.forms.parsing import parse

_NO_EXPRESSION = re.compile(
    r"(?:(?<!`)|(?<=\\`))(?P<mark>`++).+?(?<!`)(?P=mark)(?!`)|\$[^$\n\\]*+\\[^$\n]*+\$|\\.|\{\{[^{}]*\}\}"
)
_START = re.compile(r"[ \t]*(?:(?P<name>[A-Za-z_$][\w$]*)|(?P<sign>[\[(<\"'`]))")


def left_expressions(lines: list[Line]) -> list[tuple[Line, str]]:
    """`(where, kind)` of each expression between braces outside of code; one in another one is a part of it."""
    found: list[tuple[Line, str]] = []
    code = parse(lines).code_rows()
    depth = 0
    formula = False
    for row, line in enumerate(lines):
        formula ^= line.text.strip(" \t>").startswith("$$") and line.text.count("$$") == 1
        if row in code or line.blank or formula:
            depth = 0
            continue
        text = _NO_EXPRESSION.sub("", line.text)
        for at, sign in enumerate(text):
            if sign == "}":
                depth = max(0, depth - 1)
            elif sign == "{":
                start = None if depth or text[:at].endswith(("=", "$", "^", "_")) else _START.match(text, at + 1)
                if start:
                    found.append((line, f"expression `{{{start['name'] or start['sign'].replace('`', '')} …}}`"))
                depth += 1
    return found
