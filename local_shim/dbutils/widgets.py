"""`dbutils.widgets`: parameters of a notebook, from `--param` and the configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from local_shim.errors import DefinitionError, close_match


class Widgets:
    """The functions of `dbutils.widgets`; a value given for the run wins over a default."""

    def __init__(self, values: Mapping[str, str]):
        self._values = dict(values)
        self.names_read: set[str] = set()
        self._defaults: dict[str, str] = {}

    def assign(self, values: Mapping[str, str]) -> None:
        """Gives widgets the values that a `%run` names, which win over the notebook's defaults."""
        self._values = {**values, **self._values}

    def text(self, name: str, defaultValue: str = "", label: str | None = None) -> None:
        """Declares a widget."""
        self._defaults[name] = str(defaultValue)

    def dropdown(
        self, name: str, defaultValue: str, choices: Sequence[str], label: str | None = None
    ) -> None:
        """Declares a widget with choices; DefinitionError for another value than these."""
        self.text(name, defaultValue)
        value = self.get(name)
        if value not in map(str, choices):
            raise DefinitionError(
                "WIDGET_VALUE_NOT_ALLOWED",
                f"widget '{name}' has no choice '{value}'.",
                hint=close_match(value, list(map(str, choices))),
            )

    def combobox(
        self, name: str, defaultValue: str, choices: Sequence[str], label: str | None = None
    ) -> None:
        """Declares a widget that takes any text."""
        self.text(name, defaultValue)

    multiselect = combobox

    def get(self, name: str) -> str:
        """The value of a widget."""
        self.names_read.add(name)
        if name in self._values:
            return self._values[name]
        if name in self._defaults:
            return self._defaults[name]
        raise DefinitionError(
            "WIDGET_NOT_DEFINED",
            f"InputWidgetNotDefined: no widget is named '{name}'.",
            hint=close_match(name, [*self._values, *self._defaults])
            if self._values or self._defaults
            else f"give it: --param {name}=VALUE",
        )

    def getArgument(self, name: str, defaultValue: str | None = None) -> str:
        """The value of a widget, or a default (an older spelling)."""
        if defaultValue is not None and name not in {*self._values, *self._defaults}:
            return defaultValue
        return self.get(name)

    def getAll(self) -> dict[str, str]:
        """The values of all declared widgets."""
        return {name: self.get(name) for name in self._defaults}

    def remove(self, name: str) -> None:
        """Removes a widget."""
        self._defaults.pop(name, None)

    def removeAll(self) -> None:
        """Removes all widgets."""
        self._defaults.clear()
