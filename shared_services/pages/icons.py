"""A small set of inline icons of our own: 16 by 16, drawn with the text's colour, hidden from screen readers."""

from markupsafe import Markup

_PATHS = {
    "alert": "M8 2.5 14.5 13.5H1.5zM8 6.5v3M8 11.4v.2",
    "book": "M3 2.5h8.5a1.5 1.5 0 0 1 1.5 1.5v9.5H4.5A1.5 1.5 0 0 1 3 12zM3 12a1.5 1.5 0 0 1 1.5-1.5H13",
    "chat": "M2.5 3.5h11v7.5H7l-3 2.5V11H2.5z",
    "check": "M3 8.5 6.5 12 13 4.5",
    "chevron-left": "M10 3.5 5.5 8l4.5 4.5",
    "chevron-right": "M6 3.5 10.5 8 6 12.5",
    "clock": "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 4.5V8l2.5 1.5",
    "close": "M4 4l8 8M12 4l-8 8",
    "compass": "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM10.6 5.4 9.2 9.2 5.4 10.6 6.8 6.8z",
    "copy": "M5.5 5.5h7v8h-7zM5.5 10.5h-2v-8h7v3",
    "download": "M8 3v7.5M4.5 7 8 10.5 11.5 7M3 11v2.5h10V11",
    "external": "M6.5 3.5h-3v9h9v-3M9 3h4v4M13 3 7.5 8.5",
    "file": "M4 2.5h5l3 3v8H4zM9 2.5v3h3",
    "globe": "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM2 8h12M8 2c2.2 2 3 4 3 6s-.8 4-3 6c-2.2-2-3-4-3-6s.8-4 3-6",
    "hand": "M5.5 8.5v-5a1 1 0 0 1 2 0V7V2.8a1 1 0 0 1 2 0V7V3.5a1 1 0 0 1 2 0V10a4 4 0 0 1-7.3 2.2L2.6 9.6a1 1 0 0 1 1.6-1.2z",
    "help": "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM6.3 6.4A1.8 1.8 0 0 1 8 5.1c1 0 1.8.6 1.8 1.5C9.8 8 8 8 8 9.2M8 11v.2",
    "hint": "M8 2.2a4 4 0 0 0-2.3 7.3c.5.4.8.9.8 1.5h3c0-.6.3-1.1.8-1.5A4 4 0 0 0 8 2.2zM6.7 13.4h2.6",
    "history": "M3 8a5 5 0 1 0 1.6-3.7M3 2.8v2.7h2.7M8 5.3V8l1.8 1.3",
    "info": "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 7.2v3.6M8 5v.2",
    "list": "M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.2M2.5 8h.2M2.5 12h.2",
    "lock": "M4 7.5h8v6H4zM5.5 7.5v-2a2.5 2.5 0 0 1 5 0v2",
    "more": "M3.5 8h.2M8 8h.2M12.5 8h.2",
    "panel-left": "M2.5 3h11v10h-11zM6.5 3v10",
    "panel-right": "M2.5 3h11v10h-11zM9.5 3v10",
    "pencil": "M3 13l.7-3 6.8-6.8 2.3 2.3L6 12.3zM9 4.7 11.3 7",
    "person": "M8 2.5a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM2.8 13.8c.5-2.5 2.5-4 5.2-4s4.7 1.5 5.2 4",
    "plus": "M8 3v10M3 8h10",
    "retry": "M12.8 6A5 5 0 1 0 13 9M13 3v3.2H9.8",
    "search": "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.3 10.3 13.5 13.5",
    "send": "M8 13V3.5M4 7.5l4-4 4 4",
    "shield": "M8 2 13 3.8v4c0 3-2 5.2-5 6.2-3-1-5-3.2-5-6.2v-4z",
    "stop": "M4.5 4.5h7v7h-7z",
    "thumb-down": "M5.5 8.8 8 13.5c1 0 1.6-.7 1.4-1.7L9 9.5h3.2A1.2 1.2 0 0 0 13.4 8l-1-4.2a1.3 1.3 0 0 0-1.3-1H2.8v6h2.7zv-6",
    "thumb-up": "M5.5 7.2 8 2.5c1 0 1.6.7 1.4 1.7L9 6.5h3.2A1.2 1.2 0 0 1 13.4 8l-1 4.2a1.3 1.3 0 0 1-1.3 1H2.8v-6h2.7zv6",
    "trash": "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.5 9h6l.5-9",
    "upload": "M8 10.5V3M4.5 6.5 8 3l3.5 3.5M3 11v2.5h10V11",
}

_SVG = '<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false"><path d="{}"/></svg>'
_ICONS = {name: Markup(_SVG.format(path)) for name, path in _PATHS.items()}  # noqa: S704  paths of our own


def icon(name: str) -> Markup:
    """An icon as inline SVG.

    Raises:
        KeyError: There is no icon of that name.
    """
    return _ICONS[name]
