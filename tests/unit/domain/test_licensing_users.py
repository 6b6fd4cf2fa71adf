"""Who uses a license: the customer, or those whom the order names; and who manages it."""

from domain import facts as f
from domain.licensing import User
from tests.stories import FEBRUARY, LATE_JANUARY, attributed, because, happened, paying

ADA, BOB = f.NamedUser(email="ada@example.com", name="Ada"), f.NamedUser(email="bob@example.com")
BUYER = f.CustomerDescribed(email="cleo@example.com", name="Cleo")


def users(*facts: f.Fact, **attributes: str) -> tuple[User, ...]:
    return paying(attributed(**attributes), *facts).license().users


def test_the_customer_uses_it_where_nobody_is_named_and_an_address_is_known() -> None:
    assert users() == ()
    assert users(f.CustomerDescribed(name="Cleo")) == ()
    assert users(BUYER) == (User("cleo@example.com", "Cleo"),)
    assert users(BUYER, is_license_manager="true") == (User("cleo@example.com", "Cleo", manager=True),)


def test_those_whom_the_order_names_use_it_instead() -> None:
    named = f.UsersNamed(users=(ADA, BOB))
    assert users(BUYER, named) == (User("ada@example.com", "Ada"), User("bob@example.com"))
    assert users(BUYER, named, is_license_manager="true") == users(BUYER, named)


def test_the_customer_may_be_one_of_them() -> None:
    named = f.UsersNamed(users=(ADA, f.NamedUser(email="Cleo@Example.com")))
    assert users(BUYER, named, is_license_manager="true") == (
        User("ada@example.com", "Ada"),
        User("cleo@example.com", "Cleo", manager=True),
    )
    assert users(BUYER, f.UsersNamed(users=(ADA,)), assign_customer_as_user="true") == (
        User("ada@example.com", "Ada"),
        User("cleo@example.com", "Cleo"),
    )


def test_an_address_that_is_named_twice_is_one_user() -> None:
    twice = f.UsersNamed(users=(ADA, f.NamedUser(email="ADA@example.com", name="A.")))
    assert [user.email.casefold() for user in users(twice)] == ["ada@example.com"]


def test_the_last_list_of_users_counts() -> None:
    story = paying(f.UsersNamed(users=(ADA,))).when(
        happened(LATE_JANUARY, f.UsersNamed(users=(BOB,)), named="named"),
        happened(FEBRUARY, f.UsersNamed(users=(BOB,)), named="again"),
    )
    assert story.license().users == (User("bob@example.com"),)
    assert because(story.license(), "users") == ("those whom the order names", "named")
