"""What the imaginary vendor Falcon Software sells, as products at LicenseSpring."""

from collections.abc import Iterable, Mapping

from domain.attributes import CUSTOM_FIELD
from service.demo.stripe import SOLO
from service.sandbox.fastspring import catalog as at_fastspring
from service.sandbox.licensespring.settings import CustomFieldSeed, ProductSeed
from service.sandbox.stripe import catalog as at_stripe

BY_USER = "falcon-desk"
BUNDLE = "falcon-suite"
BUNDLED = ("falcon-pro", "falcon-studio")


def products() -> tuple[ProductSeed, ...]:
    """What the license server knows of all that the stores sell; wallee sells nothing else."""
    sold = list(_sold())
    codes = sorted({code for attributes in sold for code in _codes(attributes)})
    return tuple(_product(code, [each for each in sold if code in _codes(each)]) for code in codes)


def _product(code: str, sold: Iterable[Mapping[str, str]]) -> ProductSeed:
    fields = {name.removeprefix(CUSTOM_FIELD) for each in sold for name in each if name.startswith(CUSTOM_FIELD)}
    return ProductSeed(
        short_code=code,
        authorization_method="user" if code == BY_USER else "license-key",
        custom_fields=tuple(CustomFieldSeed(name=name) for name in sorted(fields)),
        bundle=BUNDLED if code == BUNDLE else (),
    )


def _sold() -> Iterable[Mapping[str, str]]:
    yield from (price.metadata for price in (*at_stripe.RECURRING, at_stripe.PERPETUAL, SOLO))
    yield from (product.attributes for product in at_fastspring.ALL)


def _codes(attributes: Mapping[str, str]) -> list[str]:
    return [attributes[name] for name in ("short_code", "product_short_code") if name in attributes]
