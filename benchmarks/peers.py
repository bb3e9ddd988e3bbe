"""Other libraries at the same work, each with its defaults; run by `benchmarks.ingest` with the Python of their environment.

`python peers.py NAME MODEL_FOLDER`: reads commands as JSON lines from stdin and answers each with one on stdout.
`{"ingest": FILE}` fills a fresh store with the texts of a JSON list and answers with the seconds from texts to a store that
can be searched; `{"search": [TEXT, ...], "limit": N}` answers with the places of the texts found for each, best first. Knows
nothing of the product, which is not installed where it runs.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.update(
    HF_HUB_OFFLINE="1",
    TRANSFORMERS_OFFLINE="1",
    ANONYMIZED_TELEMETRY="False",
    HAYSTACK_TELEMETRY_ENABLED="False",
    TOKENIZERS_PARALLELISM="false",
)


class Peer(ABC):
    """One library: its own store, its own calls to sentence-transformers."""

    @abstractmethod
    def ingest(self, texts: Sequence[str], folder: str) -> None:
        """Embed and store texts; a text's id is its place."""

    @abstractmethod
    def search(self, text: str, limit: int) -> list[int]:
        """Places of the nearest texts, best first."""


class Chroma(Peer):
    """A persistent collection with the embedding function for sentence-transformers."""

    def __init__(self, model: str) -> None:
        from chromadb.utils.embedding_functions import SentenceTransformerEmbeddingFunction

        self._embed = SentenceTransformerEmbeddingFunction(model_name=model, device="cpu", normalize_embeddings=True)
        self._collection: Any = None

    def ingest(self, texts: Sequence[str], folder: str) -> None:
        """Embed and store texts."""
        import chromadb

        client = chromadb.PersistentClient(path=folder)
        self._collection = client.create_collection(
            "peer", embedding_function=self._embed, configuration={"hnsw": {"space": "cosine"}}
        )
        most = client.get_max_batch_size()
        for first in range(0, len(texts), most):
            some = list(texts[first : first + most])
            self._collection.add(ids=[str(first + place) for place in range(len(some))], documents=some)

    def search(self, text: str, limit: int) -> list[int]:
        """Places of the nearest texts."""
        return [int(each) for each in self._collection.query(query_texts=[text], n_results=limit)["ids"][0]]


class LlamaIndex(Peer):
    """A vector index over nodes, in memory."""

    def __init__(self, model: str) -> None:
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding

        self._embed = HuggingFaceEmbedding(model_name=model, device="cpu")
        self._index: Any = None

    def ingest(self, texts: Sequence[str], folder: str) -> None:
        """Embed and store texts."""
        from llama_index.core import VectorStoreIndex
        from llama_index.core.schema import TextNode

        nodes = [TextNode(text=text, id_=str(place)) for place, text in enumerate(texts)]
        self._index = VectorStoreIndex(nodes=nodes, embed_model=self._embed)

    def search(self, text: str, limit: int) -> list[int]:
        """Places of the nearest texts."""
        found = self._index.as_retriever(similarity_top_k=limit).retrieve(text)
        return [int(each.node.node_id) for each in found]


class Haystack(Peer):
    """A document embedder and a store in memory."""

    def __init__(self, model: str) -> None:
        from haystack.components.embedders import SentenceTransformersDocumentEmbedder, SentenceTransformersTextEmbedder
        from haystack.utils import ComponentDevice

        device = ComponentDevice.from_str("cpu")
        self._documents = SentenceTransformersDocumentEmbedder(model=model, device=device, progress_bar=False)
        self._texts = SentenceTransformersTextEmbedder(model=model, device=device, progress_bar=False)
        self._documents.warm_up()
        self._texts.warm_up()
        self._retriever: Any = None

    def ingest(self, texts: Sequence[str], folder: str) -> None:
        """Embed and store texts."""
        from haystack import Document
        from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
        from haystack.document_stores.in_memory import InMemoryDocumentStore

        store = InMemoryDocumentStore(embedding_similarity_function="cosine")
        documents = [Document(id=str(place), content=text) for place, text in enumerate(texts)]
        store.write_documents(self._documents.run(documents=documents)["documents"])
        self._retriever = InMemoryEmbeddingRetriever(store)

    def search(self, text: str, limit: int) -> list[int]:
        """Places of the nearest texts."""
        embedding = self._texts.run(text=text)["embedding"]
        return [int(each.id) for each in self._retriever.run(query_embedding=embedding, top_k=limit)["documents"]]


class LangChainMilvus(Peer):
    """LangChain's vector store on Milvus Lite."""

    def __init__(self, model: str) -> None:
        from langchain_huggingface import HuggingFaceEmbeddings

        self._embed = HuggingFaceEmbeddings(model_name=model, model_kwargs={"device": "cpu"})
        self._store: Any = None

    def ingest(self, texts: Sequence[str], folder: str) -> None:
        """Embed and store texts."""
        from langchain_milvus import Milvus

        self._store = Milvus(embedding_function=self._embed, connection_args={"uri": f"{folder}/milvus.db"}, auto_id=False)
        self._store.add_texts(list(texts), ids=[str(place) for place in range(len(texts))])

    def search(self, text: str, limit: int) -> list[int]:
        """Places of the nearest texts."""
        return [int(each.metadata["pk"]) for each in self._store.similarity_search(text, k=limit)]


PEERS: dict[str, type[Any]] = {
    "chroma": Chroma,
    "llama-index": LlamaIndex,
    "haystack": Haystack,
    "langchain-milvus": LangChainMilvus,
}


def main() -> None:
    """Answer commands until stdin ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the libraries print must not stand between the answers
    name, model = sys.argv[1:]
    peer: Peer = PEERS[name](model)
    folders: list[str] = []
    try:
        for line in sys.stdin:
            command = json.loads(line)
            if "ingest" in command:
                texts = json.loads(Path(command["ingest"]).read_text(encoding="utf-8"))
                folders.append(tempfile.mkdtemp(prefix="peer-"))
                started = time.perf_counter()
                peer.ingest(texts, folders[-1])
                answer: Any = time.perf_counter() - started
            else:
                answer = [peer.search(text, command["limit"]) for text in command["search"]]
            print(json.dumps(answer), file=answers, flush=True)
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
