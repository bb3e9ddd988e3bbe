"""What an inventory does not look for, said in sentences, so that nobody takes an empty list for an answer."""

import posixpath
from collections.abc import Collection, Mapping

UNREAD = frozenset({"Scala", "Rust", "Ruby", "PHP", "C#", "Swift", "Elixir", "Clojure", "Dart", "C", "C++", "Perl"})
"""Languages in which servers are written and whose routes are not read here."""


def not_looked_for(files: Mapping[str, int], paths: Collection[str]) -> list[str]:
    """A sentence for each kind of thing that a repository holds and that is passed over.

    Args:
        files: Source files by language.
        paths: The files that count.
    """
    rows = [
        f"HTTP endpoints in {name} ({_files(count)}) are not looked for."
        for name, count in sorted(files.items())
        if name in UNREAD
    ]
    calls = sum(path.endswith(".proto") for path in paths)
    fields = sum(path.endswith((".graphql", ".gql", ".graphqls")) for path in paths)
    charts = {posixpath.dirname(path) for path in paths if posixpath.basename(path) == "Chart.yaml"}
    templates = sum(
        any(path.startswith(f"{folder}/templates/" if folder else "templates/") for folder in charts) for path in paths
    )
    if calls:
        rows.append(f"What is called by gRPC ({_files(calls)} of Protocol Buffers) is not listed.")
    if fields:
        rows.append(f"Queries and fields of GraphQL ({_files(fields)}) are not listed.")
    if templates:
        rows.append(
            f"Templates of Helm ({_files(templates)}) are not filled in; objects are listed of those that are YAML before."
        )
    return rows


def _files(count: int) -> str:
    return "one file" if count == 1 else f"{count} files"
