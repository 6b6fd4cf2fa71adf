"""The end of a period: paid, declined, asked for level by level, made up for, given up."""

from service.sandbox.wallee.billing import Billing
from service.sandbox.wallee.calendar import shifted
from service.sandbox.wallee.legality import Standing


class Periods(Billing):
    def renew(self, subscription: int) -> None:
        """The next period begins and is paid."""
        it = self.allowed("renew", subscription)
        with self.book.act():
            version = self.next_period(it)
            self.succeed(self.begin_charge(version, version.price, planned=it.due))

    def fail_charge(self, subscription: int) -> None:
        """The next period begins, its charge fails, and a charge flow asks for another way to pay."""
        it = self.allowed("fail_charge", subscription)
        with self.book.act():
            version = self.next_period(it)
            charge = self.begin_charge(version, version.price, flow=True, planned=it.due)
            level = self.begin_level(charge, 1)
            self.book.change(level, state="FAILED")
            self.begin_level(charge, 2)

    def decline(self, subscription: int) -> None:
        """The next period begins and its charge fails at once, with no flow that asks: it stays active, unpaid."""
        it = self.allowed("decline", subscription)
        with self.book.act():
            version = self.next_period(it)
            self.fail(self.begin_charge(version, version.price, planned=it.due))

    def fail_level(self, subscription: int) -> None:
        """Three days later nobody answered, and the next level asks."""
        it = self.allowed("fail_level", subscription)
        if it.level is not None and it.charge is not None:
            self.pass_to(it.level.timeout)
            with self.book.act():
                self.book.change(it.level, state="FAILED")
                self.begin_level(it.charge, it.level.number + 1)

    def pay(self, subscription: int) -> None:
        """What the flow asks for is paid."""
        it = self.allowed("pay", subscription)
        if it.level is not None and it.charge is not None:
            with self.book.act():
                self.book.change(it.level, state="SUCCESSFUL")
                self.succeed(it.charge)

    def give_up(self, subscription: int) -> None:
        """The last level goes unanswered: the charge failed, and the subscription is suspended."""
        it = self.allowed("give_up", subscription)
        if it.level is not None and it.charge is not None:
            self.pass_to(it.level.timeout)
            with self.book.act():
                self.book.change(it.level, state="FAILED")
                self.fail(it.charge)
                until = shifted(self.book.now, it.subscription.product_version.product.suspended_for)
                self.begin_suspension(it, "FAILED_CHARGE", planned_end=until)

    def charge_again(self, subscription: int) -> None:
        """The vendor charges what failed once more, by hand, and it is paid; a suspension for it ends."""
        it = self.allowed("charge_again", subscription)
        with self.book.act():
            self.succeed(self.begin_charge(it.version, it.version.price, manual=True))
            self._come_back(it)

    def _come_back(self, it: Standing) -> None:
        if it.suspension is not None:
            self.end_suspension(it)
            self.set_state(it.subscription, self.running_state(it.subscription))
            self.catch_up(self.standing(it.subscription.id))

    def catch_up(self, it: Standing) -> None:
        """A period that ended while nothing was charged is closed, and a new one begins today."""
        if it.due is not None and it.due <= self.book.now:
            self.close_bill(it.bill, it.due)
            self.open_bill(it.version, self.book.now)
            self.succeed(self.begin_charge(it.version, it.version.price))
