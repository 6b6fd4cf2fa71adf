"""Who is to be forgotten: the addresses of a person, and the names by which sources know them. Pure."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

import msgspec

from domain.erasure.folding import fold
from domain.erasure.standins import is_stand_in
from domain.facts import CustomerDescribed, Fact


class Person(msgspec.Struct, frozen=True):
    """E-mail addresses, case-folded, and references such as Stripe's customer id, each with its source."""

    emails: frozenset[str] = frozenset()
    references: frozenset[tuple[str, str]] = frozenset()

    def references_at(self, source: str) -> AbstractSet[str]:
        return {reference for at, reference in self.references if at == source}

    def is_described(self, source: str, facts: Iterable[Fact]) -> bool:
        """Whether the facts of an event are about this person as the customer."""
        return any(self._is(source, fact) for fact in facts if isinstance(fact, CustomerDescribed))

    def learning(self, source: str, facts: Iterable[Fact]) -> "Person":
        """The person with what such facts tell besides: another address of the reference, or the other way round."""
        emails, references = set(self.emails), set(self.references)
        for fact in facts:
            if isinstance(fact, CustomerDescribed) and self._is(source, fact):
                if fact.email and not is_stand_in(fact.email):
                    emails.add(fact.email.strip().casefold())
                if fact.reference:
                    references.add((source, fact.reference))
        return Person(frozenset(emails), frozenset(references))

    def _is(self, source: str, fact: CustomerDescribed) -> bool:
        emails = map(fold, self.emails)
        return fold(fact.email.strip()) in emails or (source, fact.reference) in self.references
