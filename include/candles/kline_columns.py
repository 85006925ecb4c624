"""Klines of the usual form as columns of whole numbers, without a loop over rows.

The form is checked to the byte first: the text without its digits must be the same for every row, and the number of
digits in each place must be one that cannot overflow. What passes needs no other parser to be trusted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# One row: a letter stands for a run of digits, anything else for itself.
_JSON_ROW = '[T,"I.F","I.F","I.F","I.F","I.F",T,"I.F",C,"I.F","I.F","N"]'
_CSV_ROW = "T,I.F,I.F,I.F,I.F,I.F,T,I.F,C,I.F,I.F,N"
# How many digits each run may have: times, counts, integer parts and fractions. 18 digits fit int64.
_DIGITS = {"T": (1, 16), "C": (1, 18), "I": (1, 10), "F": (8, 8), "N": (1, 18)}
# Where the columns of a CandleBatch are in a row; column 6 is the close time, 11 is unused.
_KEPT = (0, 1, 2, 3, 4, 5, 7, 8, 9, 10)
_WIDTH = 12
_ZERO = np.uint8(ord("0"))
_LAST_JSON_MILLISECONDS = 10**14  # the year 5138; time stamps beyond may not be ones that Python has


def of_json(body: bytes) -> NDArray[np.int64] | None:
    """Columns of a JSON answer (as `CandleBatch.columns`), or None where it has another form."""
    runs = _runs(body, b"[", _JSON_ROW, b",", b"]")
    if runs is None:
        return None
    begins, digits = runs
    whole = [column for column, letter in enumerate(_letters(_JSON_ROW)) if letter in "TC"]
    first = np.frombuffer(body, np.uint8)[begins[:, whole]]
    if ((first == _ZERO) & (digits[:, whole] > 1)).any():
        return None  # JSON has no number with a leading zero
    rows = _numbers(body.translate(None, b'[]".'))
    if rows[:, 0].max() >= _LAST_JSON_MILLISECONDS:
        return None
    return np.ascontiguousarray(rows[:, _KEPT].T)


def of_csv(body: bytes, last_milliseconds: int) -> NDArray[np.int64] | None:
    """Columns of a CSV file (as `CandleBatch.columns`), or None where it has another form.

    Open times above `last_milliseconds` are microseconds.
    """
    body = body if body.endswith(b"\n") else body + b"\n"
    if _runs(body, b"", _CSV_ROW, b"\n", b"\n") is None:
        return None
    columns = np.ascontiguousarray(_numbers(body.translate(bytes.maketrans(b"\n", b","), b"."))[:, _KEPT].T)
    opened = columns[0]
    fine = opened > last_milliseconds
    if (opened[fine] % 1000).any():
        return None
    opened[fine] //= 1000
    return columns


def _runs(
    body: bytes, head: bytes, row: str, between: bytes, tail: bytes
) -> tuple[NDArray[np.intp], NDArray[np.intp]] | None:
    """Where the runs of digits begin and how long they are, one line per row; None where the form is not kept.

    There is a run (mostly of no digits) before each character that is none.
    """
    marks = "".join(character for character in row if not character.isalpha()).encode() + between
    skeleton = body.translate(None, b"0123456789")
    rows, rest = divmod(len(skeleton) - len(head), len(marks))
    if rest or rows < 1 or skeleton != head + (marks * rows)[: -len(between)] + tail:
        return None
    at = np.flatnonzero(np.frombuffer(body, np.uint8) - _ZERO > 9)  # unsigned: what is below "0" wraps to the top
    begins = np.concatenate(([0], at[:-1] + 1))
    digits = at - begins
    if digits[: len(head)].any() or at[-1] != len(body) - 1:
        return None
    begins, digits = (each[len(head) :].reshape(rows, len(marks)) for each in (begins, digits))
    low, high = np.array([_DIGITS.get(letter, (0, 0)) for letter in _letters(row)]).T
    return (begins, digits) if ((digits >= low) & (digits <= high)).all() else None


def _letters(row: str) -> list[str]:
    """The letter (or "") of the run before each mark of a row and before the one between rows."""
    letters, letter = [], ""
    for character in row + "\n":
        if character.isalpha():
            letter = character
        else:
            letters.append(letter)
            letter = ""
    return letters


def _numbers(text: bytes) -> NDArray[np.int64]:
    return np.fromstring(text, np.int64, sep=",").reshape(-1, _WIDTH)
