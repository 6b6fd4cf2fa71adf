"""Pausing, coming back, leaving."""

from datetime import datetime

from service.sandbox.wallee.calendar import following, seconds
from service.sandbox.wallee.legality import Standing
from service.sandbox.wallee.model import EndAction, Reason
from service.sandbox.wallee.periods import Periods


class Endings(Periods):
    def suspend(
        self,
        subscription: int,
        *,
        reason: Reason = "MANUAL",
        until: datetime | None = None,
        end_action: EndAction = "REACTIVATE",
        note: str | None = None,
    ) -> None:
        """Paused, and not charged; with `until` the end action comes by itself."""
        it = self.allowed("suspend", subscription)
        with self.book.act():
            end = None if until is None else seconds(until)
            self.begin_suspension(it, reason, end_action=end_action, planned_end=end, note=note)

    def reactivate(self, subscription: int) -> None:
        """Goes on; a period that ended meanwhile is followed by one that begins today, and is charged."""
        self._reactivated(self.allowed("reactivate", subscription))

    def reach_suspension_end(self, subscription: int) -> None:
        """The planned end of the suspension: it goes on, or is terminated, as the suspension says."""
        it = self.allowed("reach_suspension_end", subscription)
        if it.suspension is not None and it.suspension.planned_end is not None:
            self.pass_to(it.suspension.planned_end)
            if it.suspension.end_action == "TERMINATE":
                self._terminate(it)
            else:
                self._reactivated(it)

    def schedule_termination(self, subscription: int, *, periods: int = 0) -> None:
        """It ends with the running period, or so many periods later."""
        it = self.allowed("schedule_termination", subscription)
        with self.book.act():
            now = end = self.book.now
            if it.bill is not None and it.due is not None:
                end = it.due
                for _ in range(periods):
                    end = following(it.bill.anchor, it.version.product_version.cycle, end)
            self.book.change(it.version, termination_issued=now, planned_termination=end, last_period_end=end)
            self.set_state(it.subscription, "TERMINATION_SCHEDULED", termination_scheduled=now, planned_termination=end)

    def reach_termination(self, subscription: int) -> None:
        """The planned day is there."""
        it = self.allowed("reach_termination", subscription)
        self.pass_to(it.ends or self.book.now)
        self._terminate(it)

    def terminate_now(self, subscription: int, *, lingers: bool = False) -> None:
        """Over at once. `lingers`: it stays `TERMINATING` while something is open, until `finish_termination`."""
        self._terminate(self.allowed("terminate_now", subscription), lingers=lingers)

    def finish_termination(self, subscription: int) -> None:
        """What was open is done."""
        self._finish(self.allowed("finish_termination", subscription))

    def _reactivated(self, it: Standing) -> None:
        with self.book.act():
            self.end_suspension(it)
            self.set_state(it.subscription, self.running_state(it.subscription))
            self.catch_up(self.standing(it.subscription.id))

    def _terminate(self, it: Standing, *, lingers: bool = False) -> None:
        with self.book.act():
            now = self.book.now
            if it.next_version is not None:
                self.book.change(it.next_version, state="FAILED", failed=now)
            if it.subscription.state != "PENDING":
                self.book.change(it.version, state="TERMINATING", terminating=now)
            self.set_state(it.subscription, "TERMINATING", terminating=now)
            if not lingers:
                self._finish(self.standing(it.subscription.id))

    def _finish(self, it: Standing) -> None:
        with self.book.act():
            now = self.book.now
            if it.charge is not None and it.charge.state == "PROCESSING":
                if it.level is not None and it.level.state == "PENDING":
                    self.book.change(it.level, state="FAILED")
                if it.charge.transaction is not None:
                    self.book.change(self.book.transactions[it.charge.transaction], state="FAILED", failed=now)
                self.book.change(it.charge, state="DISCARDED", discarded=now)
            self.end_suspension(it)
            self.close_bill(it.bill, now)
            self.book.change(it.version, state="TERMINATED", terminated=now)
            self.set_state(it.subscription, "TERMINATED", terminated=now)
