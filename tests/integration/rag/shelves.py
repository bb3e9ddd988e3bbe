"""Shared documents in the real store, with their bookkeeping in memory: what a search needs of `Shelves`, and no more."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from agents.rag.chunking import Chunk
from agents.rag.documents.shelf import Shelf
from agents.rag.embedder import Embedder, Vector
from agents.rag.scope import Scope, SharedScope, visible_focus
from agents.rag.store import Owner, VectorStore
from shared_services.contracts.identity import Role
from shared_services.contracts.rag import DocumentRef
from shared_services.kit.tokens import Claims

SHELF = "index_" + "5" * 32
KEEPER = Claims("service:test", "rag", 0, roles=frozenset({Role.ADMIN}))


@dataclass(frozen=True)
class Document:
    number: int
    title: str
    tags: tuple[str, ...]
    text: str
    content_focus: str | None = None
    file: str = ""
    whole: bool = False

    @property
    def ref(self) -> DocumentRef:
        return DocumentRef(id=f"doc-{self.number}", title=self.title)


def chunks_of(document: Document) -> list[Chunk]:
    file = document.file or f"doc-{document.number}.md"
    made, line = [], 1
    for text in [document.text] if document.whole else re.findall(r"[^\n]+\n?(?:\n+|$)", document.text):
        shown = text.rstrip("\n") + "\n"
        blanks = text[len(shown) :]
        indexed = f"{document.title} {shown}"
        made.append(
            Chunk(
                "", "", file, line, line + shown.count("\n") - 1, (document.title,), "prose", shown, blanks, indexed, file, line
            )
        )
        line += text.count("\n")
    return made


@dataclass
class Shelfful:
    """`asked` counts how often somebody wanted to know what is visible."""

    store: VectorStore
    embedder: Embedder
    documents: dict[int, Document] = field(default_factory=dict)
    generation: int = 1
    collection: str = SHELF
    asked: int = 0
    made_with: str = ""
    """The model that the vectors are said to be of; empty for the one that is asked for."""

    def create(self) -> None:
        self.store.create(self.collection, self.embedder.model_id, self.embedder.dimension)

    def add(self, *documents: Document, tags: Iterable[str] | None = None) -> None:
        """Put documents in; `tags` are what their rows are made to say in place of the documents' own."""
        for document in documents:
            made = chunks_of(document)
            vectors: Sequence[Vector] = self.embedder.encode([chunk.indexed for chunk in made])
            rows = list(zip(range(len(made)), made, vectors, strict=True))
            said = document.tags if tags is None else tags
            owner = Owner.of_document(SharedScope.whole(KEEPER, [document.number]), document.number, said, document.content_focus)
            self.store.insert(owner, self.collection, rows, None)
            self.documents[document.number] = document
        self.store.seal(self.collection)
        self.generation += 1

    async def visible(self, scope: Scope, model: str) -> Shelf | None:
        self.asked += 1
        seen = {
            number: document.ref
            for number, document in self.documents.items()
            if scope.tags & set(document.tags) and visible_focus(document.content_focus, scope.content_focus)
        }
        return Shelf(self.collection, self.generation, seen, self.made_with or model) if seen else None
