"""The demonstration, as tests/demo builds it, for comparison."""

from tests.demo.conftest import by_commands, tools

__all__ = ["by_commands", "tools"]
