"""The live view: a table of runs, and one run in depth."""

from __future__ import annotations

import contextlib
from typing import Any, ClassVar, Protocol

from rich.text import Text
from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.css.query import NoMatches
from textual.events import Resize
from textual.message import Message
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Static

from logbuch.errors import LogbuchError, Unavailable
from logbuch.terminal.columns import Column, arranged, cut, fitting, telling
from logbuch.terminal.describing import described
from logbuch.terminal.detail import Detail
from logbuch.terminal.looking import Look
from logbuch.terminal.rows import Row
from logbuch.terminal.watching import Watcher

SECONDS = 2.0
_EDGE = 2
"""What the scroll bar may take of the width."""


class Source(Protocol):
    """Whom the view asks; see :class:`logbuch.terminal.looking.Looker`."""

    ended: bool

    @property
    def uri(self) -> str: ...
    def look(self) -> Look: ...
    def detail(self, run_id: str, metric: str | None) -> Detail: ...


class Answered(Message):
    """An answer, or why there is none."""

    def __init__(self, answer: Look | Detail | LogbuchError) -> None:
        super().__init__()
        self.answer = answer


class RunsTable(DataTable[Text]):
    """A table of runs; Enter is told at the foot."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "Open")]


class Top(App[None]):
    """``source`` is asked every ``seconds``."""

    TITLE = "logbuch top"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #head { height: 1; background: $primary; color: $text; text-style: bold; }
    #trouble { height: auto; max-height: 3; background: $error; color: $text; display: none; }
    #trouble.shown { display: block; }
    RunsTable { height: 1fr; background: $background; }
    RunsTable > .datatable--header { background: $surface; }
    #empty { height: 1fr; content-align: center middle; color: $text-muted; display: none; }
    #empty.shown { display: block; }
    #name { height: 1; background: $primary; color: $text; text-style: bold; }
    #detail { padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("s", "sort", "Sort"),
        ("r", "reverse", "Reverse"),
        ("a", "ended", "Ended too"),
        ("q", "quit", "Quit"),
    ]

    def __init__(self, source: Source, *, one_experiment: bool = False, seconds: float = SECONDS) -> None:
        super().__init__()
        self._source = source
        self._seconds = seconds
        self._one_experiment = one_experiment
        self._look: Look | None = None
        self._by: Column | None = None
        self._descending = False
        self._laid: list[tuple[Column, int]] = []
        self._listed: list[str] = []
        self._watcher = Watcher(source.look, self._tell, seconds)

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        yield Static(id="trouble")
        yield RunsTable(cursor_type="row")
        yield Static("Asking …", id="empty", classes="shown")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self._table.display = False
        self._say_where()
        self._watcher.start()

    def on_unmount(self) -> None:
        self._watcher.stop()

    def on_resize(self, _event: Resize) -> None:
        with _closing():
            self._say_where()
            self._show()

    # -- answers ------------------------------------------------------------------------------------------------------

    def _tell(self, answer: Look | LogbuchError) -> None:
        self.post_message(Answered(answer))

    @on(Answered)
    def _answered(self, event: Answered) -> None:
        with _closing():
            _tell_trouble(self._main, event.answer)
            if isinstance(event.answer, Look):
                self._look = event.answer
            self._say_where()
            self._show()

    @property
    def _main(self) -> Screen[object]:
        if not self.screen_stack:
            raise NoMatches("The view is closed.")
        return self.screen_stack[0]

    @property
    def _table(self) -> RunsTable:
        return self._main.query_one(RunsTable)

    # -- what is shown ------------------------------------------------------------------------------------------------

    def _say_where(self) -> None:
        parts = [" logbuch top"]
        if self._look is not None:
            runs = self._look.runs
            going, names = sum(row.going for row in runs), {row.experiment for row in runs}
            parts.append(f"{going} running")
            parts += [f"{len(runs) - going} ended"] if len(runs) > going else []
            parts += [f"{self._look.total - len(runs)} more not shown"] if self._look.total > len(runs) else []
            parts += [cut(names.pop(), 40)] if len(names) == 1 else []
        parts.append(self._source.uri)
        self._main.query_one("#head", Static).update(Text(cut(" · ".join(parts), self.size.width)))

    def _show(self) -> None:
        if self._look is None:
            return
        empty = self._main.query_one("#empty", Static)
        empty.update("No run is running.\nRuns appear here as soon as they begin; a shows those that ended today.")
        empty.set_class(not self._look.runs, "shown")
        self._table.display = bool(self._look.runs)
        self._lay_out()
        self._fill(arranged(self._look.runs, self._by, self._descending))

    def _lay_out(self) -> None:
        """Lays the columns out anew where others fit now; cells keep their places otherwise."""
        runs = self._look.runs if self._look else ()
        laid = fitting(telling(runs, one_experiment=self._one_experiment), self.size.width - _EDGE)
        titles = [self._title(column) for column, _ in laid]
        if laid == self._laid and titles == [str(one.label) for one in self._table.ordered_columns]:
            return
        chosen = self._chosen()
        self._table.clear(columns=True)
        for (column, width), title in zip(laid, titles, strict=True):
            self._table.add_column(Text(title, justify="right" if column.right else "left"), width=width)
        self._laid, self._listed = laid, []
        self._fill(arranged(runs, self._by, self._descending), chosen)

    def _title(self, column: Column) -> str:
        arrow = "" if column is not self._by else "↓" if self._descending else "↑"
        return column.title + arrow

    def _fill(self, rows: list[Row], chosen: str | None = None) -> None:
        """Cells are replaced where the same runs stand in the same order, so that nothing flickers."""
        table, ids = self._table, [row.run_id for row in rows]
        if ids != self._listed:
            chosen = chosen or self._chosen()
            table.clear()
            for row in rows:
                table.add_row(*self._cells(row), key=row.run_id)
            self._listed = ids
            if chosen in ids:
                table.move_cursor(row=ids.index(chosen))
            return
        for place, row in enumerate(rows):
            for at, cell in enumerate(self._cells(row)):
                table.update_cell_at((place, at), cell)  # type: ignore[arg-type]

    def _cells(self, row: Row) -> list[Text]:
        cells = []
        for column, width in self._laid:
            cell = column.show(row, width)
            cell.justify = "right" if column.right else "left"
            if not row.going and column.title != "Status":
                cell.stylize("dim")
            cells.append(cell)
        return cells

    def _chosen(self) -> str | None:
        at = self._table.cursor_row
        return self._listed[at] if 0 <= at < len(self._listed) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Sorting and the like are of the table alone."""
        return action not in ("sort", "reverse", "ended") or len(self.screen_stack) == 1

    # -- keys ---------------------------------------------------------------------------------------------------------

    def action_sort(self) -> None:
        """Sorts by the next column, and after the last as the runs came."""
        shown = [None, *(column for column, _ in self._laid if column.title != "Curve")]
        self._sort(shown[(shown.index(self._by) + 1) % len(shown) if self._by in shown else 0])

    def action_reverse(self) -> None:
        self._descending = not self._descending
        self._show()

    def action_ended(self) -> None:
        self._source.ended = not self._source.ended
        self._watcher.wake()

    @on(DataTable.HeaderSelected)
    def _header(self, event: DataTable.HeaderSelected) -> None:
        column = self._laid[event.column_index][0]
        if column is self._by:
            self.action_reverse()
        elif column.title != "Curve":
            self._sort(column)

    def _sort(self, by: Column | None) -> None:
        self._by, self._descending = by, False
        self._show()

    @on(DataTable.RowSelected)
    def _open(self, event: DataTable.RowSelected) -> None:
        run_id = event.row_key.value
        row = next((row for row in self._look.runs if row.run_id == run_id), None) if self._look else None
        if row is not None:
            self.push_screen(RunView(self._source, row, self._seconds))


class RunView(Screen[None]):
    """One run in depth; Escape leads back."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "app.pop_screen", "Back"), ("q", "app.quit", "Quit")]

    def __init__(self, source: Source, row: Row, seconds: float) -> None:
        super().__init__()
        self._row = row
        self._detail: Detail | None = None
        self._watcher = Watcher(lambda: source.detail(row.run_id, row.metric), self._tell, seconds)

    def compose(self) -> ComposeResult:
        yield Static(Text(f" {cut(self._row.name, 60)}  in {cut(self._row.experiment, 60)}", no_wrap=True), id="name")
        yield Static(id="trouble")
        with VerticalScroll(id="scroll"):
            yield Static("Asking …", id="detail")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one("#scroll").focus()
        self._watcher.start()

    def on_unmount(self) -> None:
        self._watcher.stop()

    def on_resize(self, _event: Resize) -> None:
        with _closing():
            self._show()

    def _tell(self, answer: Detail | LogbuchError) -> None:
        self.post_message(Answered(answer))

    @on(Answered)
    def _answered(self, event: Answered) -> None:
        event.stop()
        with _closing():
            _tell_trouble(self, event.answer)
            if isinstance(event.answer, Detail):
                self._detail = event.answer
            self._show()

    def _show(self) -> None:
        if self._detail is not None:
            self.query_one("#detail", Static).update(described(self._detail, self.size.width - 2 - _EDGE))


def _closing() -> contextlib.suppress:
    """While the view is closed its widgets go before the last answer has been taken."""
    return contextlib.suppress(NoMatches)


def _tell_trouble(screen: Screen[Any], answer: Look | Detail | LogbuchError) -> None:
    """What is wrong, and that it is tried again; what is shown below it is from before."""
    place = screen.query_one("#trouble", Static)
    if isinstance(answer, LogbuchError):
        place.update(Text(f" {answer.message}" + (" Trying again …" if isinstance(answer, Unavailable) else "")))
    place.set_class(isinstance(answer, LogbuchError), "shown")
