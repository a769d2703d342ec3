"""The run of a trained model, shared with the tests of the library."""

from tests.library.conftest import run as run
