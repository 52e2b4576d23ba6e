"""The private modules of the package and the layer of each, bottom up, as docs/design.md draws them."""

from __future__ import annotations

FLOORS = {
    "_version": 0,
    "_wall": 0,
    "_errors": 0,
    "_models": 0,
    "_arguments": 0,
    "_structure": 1,
    "_decode": 1,
    "_settings": 1,
    "_protocol": 1,
    "_retry": 1,
    "_transport": 2,
    "_pager": 3,
    "_client": 3,
    "__init__": 4,
}
# Modules of one layer stand in this order: each imports only from those before it.
ORDER = list(FLOORS)
