"""The price of a Bedrock model that a recipe gives where the price list does not know it."""

from typing import Annotated

from msgspec import Meta

from nova_judge.recipe.nova_block import Section


class TokenPrice(Section, frozen=True):
    """US dollars for a million tokens read (`input`) and written (`output`)."""

    input: Annotated[float, Meta(ge=0)]
    output: Annotated[float, Meta(ge=0)]
