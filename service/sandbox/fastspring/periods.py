"""The day of a charge: paid, declined, reminded of, made up for, given up."""

from service.sandbox.fastspring.calendar import DAY, following
from service.sandbox.fastspring.desk import Desk
from service.sandbox.fastspring.model import FailureTold, Subscription

NOTICES_EVERY = 7 * DAY


class Periods(Desk):
    def renew(self, subscription: str) -> None:
        """The charge for the next period succeeds, in the night of the day it is due. It ends a trial."""
        before = self.allowed("renew", subscription)
        self.pass_to_night_of(before.next)
        self._paid(before)

    def charge_managed(self, subscription: str) -> None:
        """The vendor charges a managed subscription, when and as they like."""
        before = self.allowed("charge_managed", subscription)
        with self.book.batch():
            after = self.keep(before, sequence=before.sequence + 1)
            self.charge(after, self.period_items(after))

    def fail_charge(self, subscription: str, reason: str = "CARD_DECLINED") -> None:
        """The charge is declined; so may be the one tried three days later."""
        before = self.allowed("fail_charge", subscription)
        if before.owed:
            self.pass_to(self.book.now + 3 * DAY)
        self.pass_to_night_of(before.next)
        account = self.book.accounts[before.account]
        # The subscription shows as it was: `overdue` comes with the first notice.
        told = FailureTold(subscription=before, account=account, reason=reason)
        self.keep(before, owed=True, state="overdue")
        self.book.happened("subscription.charge.failed", self.tick(), told)

    def notify_overdue(self, subscription: str) -> None:
        """A week after the day or the last notice, the customer is told once more."""
        before = self.allowed("notify_overdue", subscription)
        if before.next is not None:
            self.pass_to_night_of(before.next + (before.notices + 1) * NOTICES_EVERY)
        self.tell("subscription.payment.overdue", self.keep(before, notices=before.notices + 1))

    def recover(self, subscription: str) -> None:
        """What is owed gets paid; the days of charges stay where they were."""
        self._paid(self.allowed("recover", subscription))

    def give_up(self, subscription: str) -> None:
        """A week after the last notice it ends."""
        before = self.allowed("give_up", subscription)
        if before.next is not None:
            self.pass_to_night_of(before.next + (before.notices + 1) * NOTICES_EVERY)
        ended = self.keep(before, state="deactivated", deactivation=self.today)
        self.tell("subscription.deactivated", ended)

    def remind(self, subscription: str) -> None:
        """A note that a charge, or the end of the trial, is near."""
        before = self.allowed("remind", subscription)
        event = "subscription.trial.reminder" if before.state == "trial" else "subscription.payment.reminder"
        self.tell(event, before)

    def _paid(self, before: Subscription) -> None:
        product, day = before.product, before.next or self.today
        with self.book.batch():
            after = self.keep(
                before,
                state="active",
                owed=False,
                notices=0,
                sequence=before.sequence + 1,
                next=following(before.anchor, product.every, product.interval_length, day),
            )
            self.charge(after, self.period_items(after))
