"""Every refusal of the sandbox: its status, its body, and its words in one place.

The real service mixes three forms: `{"detail": ...}`, a map from field to texts, and the License API's
`{"status", "code", "message"}`. Texts marked "own words" are not known from LicenseSpring.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, assert_never

NO_CREDENTIALS = "Authentication credentials were not provided."
NOT_FOUND = "Not found."
THROTTLED = "Request was throttled."
ORDER_EXISTS = "Order with this id already exists."
REQUIRED = "This field is required."

# Own words.
UNKNOWN_PRODUCT = "Product with short code '{}' was not found."
UNKNOWN_POLICY = "License policy '{}' was not found on product '{}'."
UNKNOWN_FEATURE = "Product feature with code '{}' was not found."
KEY_EXISTS = "License key already exists."
NEEDS_USERS = "At least one user is required for a user-based product."
NEEDS_DURATION = "valid_duration is required for time-limited licenses."
NEEDS_CONSUMPTIONS = "max_consumptions is required for consumption licenses."
NEEDS_IS_TRIAL = "is_trial must be sent together with {}."
NEEDS_MAINTENANCE = "enable_maintenance_period must be sent together with {}."
DURATION_AND_DATE = "valid_duration and validity_period cannot be sent in the same request."
ALREADY_ENABLED = "License is already enabled."
ALREADY_DISABLED = "License is already disabled."
ALREADY_ASSIGNED = "User is already assigned to this license."
NOT_USER_BASED = "Users can be assigned only to licenses of user-based products."
NO_SEAT_LEFT = "Maximum number of license users reached."
NOT_A_BUNDLE = "Product '{}' is not a bundle."
ONE_BUNDLE = "Only one bundle can be ordered at once."
UNKNOWN_CUSTOM_FIELD = "Custom field '{}' was not found on product '{}'."
CUSTOM_FIELD_EXISTS = "The fields license, product_custom_field must make a unique set."
TOO_MANY_FLOATING = "floating_users cannot be greater than max_activations."
UNKNOWN_KEY = "This field does not exist."
NO_SUCH_OBJECT = 'Invalid pk "{}" - object does not exist.'


class ApiError(Exception):
    """A request that LicenseSpring would refuse; `body` is answered as JSON."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


class FieldsRefused(ApiError):
    """400 with a map from field to texts. `code` is what the License API would call it."""

    def __init__(self, texts: Mapping[str, str], code: str) -> None:
        super().__init__(400, {field: [text] for field, text in texts.items()})
        self.texts = texts
        self.code = code


class FieldError(ValueError):
    """A value that does not fit its field; carries the text for that field."""


OrderErrorForm = Literal["code", "field_map", "detail", "conflict"]


def detail(status: int, text: str) -> ApiError:
    return ApiError(status, {"detail": text})


def not_found() -> ApiError:
    return detail(404, NOT_FOUND)


def fields(texts: Mapping[str, str], code: str = "validation_error") -> FieldsRefused:
    return FieldsRefused(texts, code)


def coded(code: str, message: str) -> ApiError:
    return ApiError(400, {"status": 400, "code": code, "message": message})


def order_refused(refusal: FieldsRefused, form: OrderErrorForm) -> ApiError:
    """The refusal of an order in the form the settings choose; all but the field map tell the first field only."""
    field, text = next(iter(refusal.texts.items()))
    told = text if field in text or refusal.code != "validation_error" else f"{field}: {text}"
    match form:
        case "code":
            return coded(refusal.code, told)
        case "field_map":
            return refusal
        case "detail":
            return detail(400, told)
        case "conflict":
            return detail(409, told)
        case _:
            assert_never(form)
