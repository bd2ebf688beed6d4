"""Errors, and the exit code each one ends the program with.

Every error that a user can cause derives from `AfpanelError`. Its message says what is wrong, where,
what was expected and found, and what to do; the command line prints it and exits with `exit_code`.
"""

from collections.abc import Iterable

EXIT_DONE = 0
EXIT_MACHINE = 1
EXIT_USAGE = 2
EXIT_BAD_INPUT = 3
EXIT_REFUSED = 4
EXIT_VERIFICATION = 5


class AfpanelError(Exception):
    """Base of every error that is reported to the user without a traceback.

    Parameters
    ----------
    what
        What is wrong, in one sentence.
    where
        File, ``contig:position`` or configuration key.
    expected, found
        What should have been there, and what is.
    remedy
        What the user can do about it.
    """

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        where: object = None,
        expected: object = None,
        found: object = None,
        remedy: str | None = None,
    ) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.remedy = remedy
        parts = [what if where is None else f"{where}: {what}"]
        if expected is not None:
            parts.append(f"  expected: {expected}")
        if found is not None:
            parts.append(f"  found:    {found}")
        if remedy is not None:
            parts.append(f"  remedy:   {remedy}")
        super().__init__("\n".join(parts))


class MachineError(AfpanelError):
    """The machine cannot do what was asked for: no room, no permission, no memory."""

    exit_code = EXIT_MACHINE


class UsageError(AfpanelError):
    """The command was called with arguments that do not fit together."""

    exit_code = EXIT_USAGE


class BadInputError(AfpanelError):
    """An input file or the configuration cannot be used as it is."""

    exit_code = EXIT_BAD_INPUT


class PolicyRefusalError(AfpanelError):
    """The disclosure policy does not allow what was asked for."""

    exit_code = EXIT_REFUSED


class VerificationError(AfpanelError):
    """A claim made by a file does not hold."""

    exit_code = EXIT_VERIFICATION


class FaultsError(BadInputError):
    """Several faults of the inputs, reported together; faults of one kind end the program as one would."""

    def __init__(self, faults: Iterable[AfpanelError]) -> None:
        self.faults = list(faults)
        count = len(self.faults)
        codes = {fault.exit_code for fault in self.faults}
        if len(codes) == 1:
            self.exit_code = codes.pop()
        listed = "\n".join(f"[{i}] {fault}" for i, fault in enumerate(self.faults, 1))
        super().__init__(f"{count} fault{'s' if count != 1 else ''} in the inputs:\n{listed}")
