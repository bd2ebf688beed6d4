"""The compiled loop that cuts a sample sheet into columns."""

import numba as nb

from afpanel.core.compiled import I8, READ_I8, READ_U1, U1, compiled, part

IRREGULAR = -1
"""What a table gives whose lines have not all columns, or a column with too many labels."""

_TAB, _NEWLINE = ord("\t"), ord("\n")


@part
def _is_label(text, start, end, other, other_end):  # type: ignore[no-untyped-def]
    if end - start != other_end - other:
        return False
    for i in range(end - start):
        if text[start + i] != text[other + i]:
            return False
    return True


@compiled(
    nb.i8(READ_U1, nb.i8, READ_I8, nb.i4[:, ::1], nb.i8[:, :, ::1], I8, U1),
)
def cut(text, begin, kinds, numbers, labels, counts, ids):  # type: ignore[no-untyped-def]
    """Cut lines into IDs and numbered labels.

    Parameters
    ----------
    text, begin
        The table, which ends with a newline, and where its first line begins after the header.
    kinds
        (columns,) int64: row of `numbers` for each column's labels; -1 is the column of IDs.
    numbers
        (columns of labels, lines) int32, filled: number of each label, in the order in which they come.
    labels, counts
        (columns of labels, most labels, 2) and (columns of labels,) int64, filled: where each label is, and
        how many there are.
    ids
        Filled: IDs, each with a newline.

    Returns
    -------
    int
        Bytes of the IDs, or `IRREGULAR`.
    """
    written = 0
    column, line, start = 0, 0, begin
    for at in range(begin, len(text)):
        letter = text[at]
        if letter not in (_TAB, _NEWLINE):
            continue
        is_last = column == len(kinds) - 1
        if (letter == _NEWLINE) != is_last or line == numbers.shape[1]:
            return IRREGULAR
        kind = kinds[column]
        if kind < 0:
            for i in range(start, at):
                ids[written] = text[i]
                written += 1
            ids[written] = _NEWLINE
            written += 1
        else:
            number = 0
            while number < counts[kind] and not _is_label(
                text, start, at, labels[kind, number, 0], labels[kind, number, 1]
            ):
                number += 1
            if number == counts[kind]:
                if number == labels.shape[1]:
                    return IRREGULAR
                labels[kind, number, 0], labels[kind, number, 1] = start, at
                counts[kind] += 1
            numbers[kind, line] = number
        start = at + 1
        column = 0 if is_last else column + 1
        line += is_last
    return written if column == 0 and line == numbers.shape[1] else IRREGULAR
