"""Never more collections loaded than allowed, and none released under a reader."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from agents.rag.errors import StoreUnavailableError
from agents.rag.residents import Residents


class Engine:
    """Counts what is loaded, and objects to what an engine would object to."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.loaded: set[str] = set()
        self.most = 0
        self.loads: list[str] = []
        self._seconds = seconds
        self._lock = threading.Lock()

    def load(self, name: str) -> None:
        time.sleep(self._seconds)
        with self._lock:
            assert name not in self.loaded
            self.loaded.add(name)
            self.loads.append(name)
            self.most = max(self.most, len(self.loaded))

    def release(self, name: str) -> None:
        time.sleep(self._seconds)
        with self._lock:
            self.loaded.remove(name)


def _read(residents: Residents, name: str) -> None:
    with residents.using(name):
        pass


def test_the_one_read_longest_ago_goes_first_and_comes_back() -> None:
    engine = Engine()
    residents = Residents(2, engine.load, engine.release)
    for name in ("a", "b", "a", "c"):
        _read(residents, name)
    assert engine.loaded == {"a", "c"}
    assert residents.names() == ["a", "c"]
    _read(residents, "b")
    assert engine.loaded == {"c", "b"}
    assert engine.loads == ["a", "b", "c", "b"]


def test_a_collection_in_use_stays_and_who_finds_no_place_waits_only_so_long() -> None:
    engine = Engine()
    residents = Residents(1, engine.load, engine.release, patience=0.05)
    with residents.using("a"), pytest.raises(StoreUnavailableError, match="RAG_LOADED_COLLECTIONS"):
        _read(residents, "b")
    assert engine.loaded == {"a"}
    _read(residents, "b")
    assert engine.loaded == {"b"}


def test_a_place_given_back_is_taken_by_who_waits() -> None:
    engine = Engine()
    residents = Residents(1, engine.load, engine.release, patience=10)
    with ThreadPoolExecutor(1) as threads:
        with residents.using("a"):
            waiting = threads.submit(_read, residents, "b")
            time.sleep(0.05)
            assert not waiting.done()
        waiting.result(5)
    assert engine.loaded == {"b"}


def test_a_failed_load_leaves_its_place_to_others() -> None:
    engine = Engine()

    def load(name: str) -> None:
        if name == "broken":
            raise OSError("broken")
        engine.load(name)

    residents = Residents(1, load, engine.release, patience=0.05)
    with pytest.raises(OSError, match="broken"):
        _read(residents, "broken")
    _read(residents, "a")
    assert residents.names() == ["a"]


def test_a_dropped_collection_frees_its_place() -> None:
    engine = Engine()
    residents = Residents(1, engine.load, engine.release, patience=0.05)
    with residents.using("a"):
        engine.release("a")
        residents.forget("a")
        _read(residents, "b")
    _read(residents, "b")
    assert engine.loads == ["a", "b"]
    residents.clear()
    assert residents.names() == []


def test_many_threads_keep_the_limit_and_read_only_what_is_loaded() -> None:
    engine = Engine(0.0002)
    residents = Residents(3, engine.load, engine.release)

    def reader(seed: int) -> None:
        order = random.Random(seed)
        for _ in range(150):
            name = order.choice("abcdefg")
            with residents.using(name):
                assert name in engine.loaded
                if order.random() < 0.2:
                    time.sleep(0.0005)
                assert name in engine.loaded

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(reader, seed) for seed in range(8)]:
            done.result(60)
    assert engine.most <= 3
    assert engine.loaded == set(residents.names())
