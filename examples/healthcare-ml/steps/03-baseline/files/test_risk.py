"""Tests of the pieces that everything else rests on. Run with `python3 -m unittest -v test_risk`."""

import unittest

from look import auc
from risk import in_test, probability, train


class Auc(unittest.TestCase):
    """The rank measure."""

    def test_perfect_order_is_one(self) -> None:
        self.assertEqual(auc([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]), 1.0)

    def test_equal_scores_are_a_coin_toss(self) -> None:
        self.assertEqual(auc([0.5, 0.5, 0.5, 0.5], [0, 1, 0, 1]), 0.5)

    def test_one_class_alone_is_refused(self) -> None:
        with self.assertRaises(ValueError):
            auc([0.1, 0.2], [0, 0])


class Model(unittest.TestCase):
    """The regression and the split."""

    def test_training_learns_a_simple_rule(self) -> None:
        weights = train([[1.0, -1.0], [1.0, 1.0]] * 10, [0, 1] * 10)
        self.assertLess(probability(weights, [1.0, -1.0]), 0.2)
        self.assertGreater(probability(weights, [1.0, 1.0]), 0.8)

    def test_a_patient_is_always_on_the_same_side(self) -> None:
        self.assertEqual(len({in_test("SYN-0042") for _ in range(5)}), 1)


if __name__ == "__main__":
    unittest.main()
