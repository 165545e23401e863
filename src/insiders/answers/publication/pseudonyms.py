"""Customer ids as keyed hashes (HMAC-SHA256): the same in every table and release, and nobody's without the key."""

import hmac
from typing import TYPE_CHECKING, NamedTuple

from insiders.errors import InputError
from insiders.io import addresses

if TYPE_CHECKING:
    import pyarrow as pa

VARIABLE = "INSIDERS_PSEUDONYM_KEY"
KEY_LENGTH_MIN = 16  # letters: a shorter key could be guessed, and with it every id
LENGTH = 32  # hexadecimal digits of a pseudonym: 128 bits, so that no two customers share one


class Pseudonyms(NamedTuple):
    """The key by which ids are hashed."""

    key: bytes

    @classmethod
    def from_environment(cls) -> "Pseudonyms":
        """Take the key from the environment, or from the file that the environment names."""
        key = addresses.secret(VARIABLE)
        if len(key) < KEY_LENGTH_MIN:
            raise InputError(
                f"the key in {VARIABLE} has {len(key)} letters: expected {KEY_LENGTH_MIN} or more at random"
            )
        return cls(key.encode())

    @property
    def fingerprint(self) -> str:
        """What tells two keys apart, without telling either."""
        return self.of("the key itself")

    def of(self, customer_id: str) -> str:
        return hmac.digest(self.key, customer_id.encode(), "sha256").hex()[:LENGTH]

    def replace(self, block: "pa.RecordBatch", column: str) -> "pa.RecordBatch":
        """The block with pseudonyms in place of the ids of this column, where it has it."""
        import pyarrow as pa

        place = block.schema.get_field_index(column)
        if place < 0:
            return block
        ids = block.column(place).dictionary_encode()
        names = pa.array([self.of(each) for each in ids.dictionary.to_pylist()], pa.string())
        return block.set_column(place, column, names.take(ids.indices))
