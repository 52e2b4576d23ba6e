"""The tests. Assertions of the support modules explain themselves too, and count under `python -O` as well."""

import pytest

pytest.register_assert_rewrite("tests.support")
