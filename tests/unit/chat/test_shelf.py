"""Passages that several answers rest on."""

import gc

from shared_services.contracts.rag import PassageScores
from tests.unit.chat.worlds import passage
from workshop_chat.stages.shelf import Shelf


def test_equal_passages_are_one_whatever_they_scored():
    shelf = Shelf()
    first = passage("Open the lid.")
    again = passage("Open the lid.").model_copy(update={"scores": PassageScores(fused=0.25)})
    assert first is not again
    assert shelf.shared([first])[0] is first
    assert shelf.shared([again])[0] is first


def test_what_differs_in_anything_else_stays_itself():
    shelf = Shelf()
    kept = shelf.shared([passage("Open the lid.", step="fill")])
    other = passage("Open the lid.", step="brew").model_copy(update={"file": kept[0].file})
    assert shelf.shared([other])[0] is other
    assert shelf.shared([passage("Close it."), passage("Open the lid.", step="fill")])[1] is kept[0]


def test_nothing_is_kept_that_no_answer_holds():
    shelf = Shelf()
    held = shelf.shared([passage("Open the lid.")])
    assert len(shelf._lent) == 1
    del held
    gc.collect()
    assert len(shelf._lent) == 0
