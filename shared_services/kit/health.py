"""Readiness: what a service needs before it can serve, each part named."""

from collections.abc import Awaitable, Callable

Check = Callable[[], Awaitable[str | None]]
Fact = Callable[[], str]


class Readiness:
    """Named checks; each answers None when ready, else a sentence that says why not. Facts beside them decide nothing."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._facts: dict[str, Fact] = {}

    def tell(self, name: str, fact: Fact) -> None:
        """Add or replace what is told for operators to know, e.g. how a part is configured."""
        self._facts[name] = fact

    def facts(self) -> dict[str, str]:
        """Every fact by name. One that raises is told as its error."""
        told = {}
        for name, fact in self._facts.items():
            try:
                told[name] = fact()
            except Exception as error:
                told[name] = f"{type(error).__name__}: {error}"
        return told

    def add(self, name: str, check: Check) -> None:
        """Add or replace a check."""
        self._checks[name] = check

    async def report(self) -> dict[str, str | None]:
        """Every check's answer by name. A check that raises is not ready, and its error is the reason."""
        answers: dict[str, str | None] = {}
        for name, check in self._checks.items():
            try:
                answers[name] = await check()
            except Exception as error:
                answers[name] = f"{type(error).__name__}: {error}"
        return answers
