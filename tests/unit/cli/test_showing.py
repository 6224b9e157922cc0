"""What a stored text may do to a terminal: nothing."""

from hypothesis import given
from hypothesis import strategies as st

from modelward.cli.showing import show_table, shown, told


@given(text=st.text())
def test_a_cell_is_one_line_without_control_characters(text):
    cell = shown(text)

    assert cell.isprintable()
    assert len(cell) <= 60


@given(text=st.text())
def test_a_told_text_keeps_only_its_line_breaks(text):
    assert all(each.isprintable() or each == "\n" for each in told(text))


def test_an_empty_list_is_told_in_words(capsys):
    show_table([], {"name": "model"}, nothing="Nothing is here.")

    assert capsys.readouterr().out == "Nothing is here.\n"
