"""Stripe: snapshot events of API versions acacia (2024) to clover (2026), told apart by which fields are present.

An event is rendered once, in the version its endpoint had at that moment, and never again; so one store holds
several versions side by side. Every reader looks at the new place of a field first and at the old one second,
because Stripe adds new fields to old renderings too.
"""

from domain.providers import Provider
from domain.providers.stripe.answer_streams import unpack_answer
from domain.providers.stripe.settle import settle
from domain.providers.stripe.translate import translate
from domain.providers.stripe.unpack import unpack
from domain.providers.stripe.wants import wants

PROVIDER = Provider(
    name="stripe",
    unpack=unpack,
    translate=translate,
    settle=settle,
    wants=wants,
    unpack_answer=unpack_answer,
    sells="price",
)
