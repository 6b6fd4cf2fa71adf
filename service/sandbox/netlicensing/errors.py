"""Every refusal of the sandbox: its status, the name it goes by, and its words in one place.

The names are seen in the vendor's own clients; which status goes with which, and the words, are ours.
"""

from __future__ import annotations

NO_SUCH = "Requested {} does not exist."
NOT_PROVIDED = "{} is not provided."
TAKEN = "{} with number '{}' already exists."
FIXED = "{} of {} '{}' can not be changed."
IN_USE = "{} '{}' is in use; set forceCascade to delete it with all that belongs to it."
NOT_A_CHOICE = "{}: '{}' is not one of {}."
PRICE_AND_CURRENCY = "Price and currency must be provided together."
AUTOMATIC_IS_FREE = "Automatic license template must not have a price."
TYPE_OF_MODEL = "License type {} does not fit the licensing model {}."
ONE_OF_TYPE = "Licensing model {} takes only one license template of the type {}."
MISSING_FOR_TYPE = "{} is required for a license of the type {}."
OTHER_PRODUCT = "{} '{}' belongs to another product."
PARENT_FEATURE = "Parent feature must be the number of a FEATURE license of the same licensee and module."
LICENSEE_INACTIVE = "Licensee '{}' is not active."
TEMPLATE_INACTIVE = "License template '{}' is not active."
NOT_MARKED = "Licensee '{}' is not marked for transfer."
NO_SESSION = "sessionId is not provided for product module '{}'."
PLAN_EXCEEDED = "The quota of the pricing plan is used up: {}."
RATE = "Too many requests."
ROLE = "The role of the API key does not allow this operation."
BAD_KEY = "Authentication failed."
NOT_ACCEPTABLE = "Accept application/json."
NOT_A_FORM = "Send application/x-www-form-urlencoded."
NO_METHOD = "Method {} is not allowed here."


class Refused(Exception):
    """A request that NetLicensing would refuse; `id` is the name that its answer carries."""

    def __init__(self, status: int, name: str, text: str) -> None:
        super().__init__(f"{status} {name}: {text}")
        self.status = status
        self.name = name
        self.text = text


def not_found(entity: str) -> Refused:
    return Refused(404, "NotFoundException", NO_SUCH.format(entity))


def malformed(text: str) -> Refused:
    return Refused(400, "MalformedRequestException", text)


def illegal(text: str) -> Refused:
    return Refused(400, "IllegalOperationException", text)


def unexpected(text: str) -> Refused:
    return Refused(400, "UnexpectedValueException", text)
