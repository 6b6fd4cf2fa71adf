"""wallee (also PostFinance Checkout, VR Payment and others): webhooks that say what changed, and hardly how.

A webhook names an entity; its `state` is a hint and is never believed. What counts is read back: a subscription whole,
with all that says how it stands, so that the last answer alone gives the licenses, whatever was lost before.
"""

from domain.providers import Provider
from domain.providers.wallee.answer_streams import unpack_answer
from domain.providers.wallee.settle import settle
from domain.providers.wallee.translate import translate
from domain.providers.wallee.unpack import unpack
from domain.providers.wallee.wants import wants

PROVIDER = Provider(
    name="wallee", unpack=unpack, translate=translate, settle=settle, wants=wants, unpack_answer=unpack_answer
)
