"""The products: invented names, codes, prices and popularity, by category; and the codes that are services."""

from dataclasses import dataclass

import numpy as np

from insiders.simulate import process as p


@dataclass(frozen=True)
class Catalogue:
    """One position for each product, ordered by category, and after them for each service.

    `demand` rises by 1 over a category's products: the draw u in category c is the first product where it is above
    c + u. `texts` holds one text a position, then an alternative for each product, then those of stock adjustments.
    """

    codes: list[str]
    texts: list[str]
    cents: p.Ints
    demand: p.Floats

    @property
    def products(self) -> int:
        return len(self.cents)

    def position(self, service: str) -> int:
        return self.codes.index(service, self.products)


def catalogue(products: int, rng: np.random.Generator) -> Catalogue:
    sizes = _sizes(products)
    texts = [text for name, size in zip(p.CATEGORIES, sizes, strict=True) for text in names(name, int(size))]
    level = np.repeat([category.price_level for category in p.CATEGORIES.values()], sizes)
    prices = p.PRICE_MEDIAN * level * rng.lognormal(0, p.PRICE_SIGMA, products)
    popularity = np.split(
        rng.lognormal(0, p.POPULARITY_SIGMA, products).clip(max=p.POPULARITY_MAX), np.cumsum(sizes)[:-1]
    )
    renamed = rng.random(products) < p.ALTERNATIVE_SHARE
    others = [f"NEW {text}" if new else text for text, new in zip(texts, renamed, strict=True)]
    return Catalogue(
        codes=[*_codes(products, rng), *p.SERVICES],
        texts=[*texts, *p.SERVICES.values(), *others, *p.ADJUSTMENTS],
        cents=10 * np.round(10 * prices).astype(np.int64).clip(2) - 5,
        demand=np.concatenate([c + np.cumsum(each) / each.sum() for c, each in enumerate(popularity)]),
    )


def _sizes(products: int) -> p.Ints:
    """Products of each category: at least one, the others by its share of the demand."""
    ends = np.round(np.cumsum([0.0, *p.CATEGORY_SHARES]) * (products - len(p.CATEGORIES)))
    return np.diff(ends).astype(np.int64) + 1


def _codes(products: int, rng: np.random.Generator) -> list[str]:
    numbers = 10_000 + rng.permutation(max(products, 90_000))[:products]
    letters = np.where(rng.random(products) < p.LETTER_SHARE, rng.choice(list("ABCDEFGH"), products), "")
    return [f"{number}{letter}" for number, letter in zip(numbers, letters, strict=True)]


def names(category: str, size: int) -> list[str]:
    """Distinct names: every thing in every style, then with every motif, then in sets of ever more."""
    things = p.CATEGORIES[category].things
    found = []
    for number in range(size):
        rest, thing = divmod(number, len(things))
        rest, style = divmod(rest, len(p.STYLES))
        pieces, motif = divmod(rest, len(p.MOTIFS))
        prefix = f"SET OF {pieces + 1} " if pieces else ""
        found.append(f"{prefix}{p.STYLES[style]} {p.MOTIFS[motif]} {things[thing]}")
    return found
