"""Tests of the coarsening. Run with `python3 -m unittest -v test_deidentify`."""

import unittest

from deidentify import classes, generalise

ROWS = [
    {"patient_id": "SYN-1", "age": "61", "sex": "F", "postcode": "1012"},
    {"patient_id": "SYN-1", "age": "61", "sex": "F", "postcode": "1012"},
    {"patient_id": "SYN-2", "age": "69", "sex": "F", "postcode": "1019"},
]


class Coarsening(unittest.TestCase):
    """Bands, digits and group sizes."""

    def test_a_band_and_digits(self) -> None:
        self.assertEqual(generalise(ROWS[0], 10, 3), ("60-69", "F", "101*"))

    def test_nothing_is_changed_at_band_one_and_four_digits(self) -> None:
        self.assertEqual(generalise(ROWS[0], 1, 4), ("61", "F", "1012"))

    def test_two_stays_of_one_patient_count_once(self) -> None:
        self.assertEqual([len(group) for group in classes(ROWS, 10, 3).values()], [2])
        self.assertEqual(sorted(len(group) for group in classes(ROWS, 1, 4).values()), [1, 1])


if __name__ == "__main__":
    unittest.main()
