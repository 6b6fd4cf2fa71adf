"""A FastSpring store in which people buy, subscribe, change their minds, pay, fail to pay and leave.

Time stands still between acts: `advance` moves it. What FastSpring does by itself on the day of a charge (`renew`,
`fail_charge`, `reach_end`, …) moves it there. An act that the state does not allow raises IllegalAct.
"""

from service.sandbox.fastspring.beginnings import Beginnings
from service.sandbox.fastspring.changes import Changes
from service.sandbox.fastspring.endings import Endings
from service.sandbox.fastspring.periods import Periods
from service.sandbox.fastspring.returns import Returns


class Store(Beginnings, Periods, Changes, Endings, Returns):
    """All acts at one desk: one book, one clock."""
