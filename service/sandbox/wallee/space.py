"""A wallee space in which people subscribe, change their minds, pay, fail to pay and leave.

Time stands still between acts: `advance` moves it. What wallee does by itself when a period, a level of a charge flow
or a suspension ends (`renew`, `fail_charge`, `give_up`, …) moves it there. An act that the state does not allow raises
IllegalAct.
"""

from collections.abc import Collection

from service.sandbox.wallee.changes import Changes
from service.sandbox.wallee.endings import Endings
from service.sandbox.wallee.model import Kind
from service.sandbox.wallee.objects import Json
from service.sandbox.wallee.purchases import Purchases
from service.sandbox.wallee.reading import USUAL, Look, Page, read, search


class Space(Changes, Endings, Purchases):
    """All acts at one desk: one book, one clock.

    `object` and `search` show what the API shows, without HTTP: as it is now, or as it was right after the happening
    of a place (`after`, see `Happening.place`; 0 is before the first).
    """

    def object(
        self, kind: Kind, identifier: int, expand: Collection[str] = (), *, after: int | None = None
    ) -> Json | None:
        """The object, or None where there is (or was) none; `expand` names links, with dots from one to the next.

        Raises Unreadable for a link that it has not.
        """
        return read(self.look(after), kind, identifier, expand)

    def search(
        self,
        kind: Kind,
        query: str = "",
        *,
        order: str = "",
        limit: int = USUAL,
        offset: int = 0,
        expand: Collection[str] = (),
        after: int | None = None,
    ) -> Page:
        """A page of what matches (`field:value AND …`). Raises Unreadable for a query that means nothing."""
        return search(self.look(after), kind, query, order=order, limit=limit, offset=offset, expand=expand)

    def look(self, after: int | None = None) -> Look:
        shown = self.book if after is None else self.book.after(after)
        return Look(shown, self.space_id, self.habits.nulls, self.habits.live)
