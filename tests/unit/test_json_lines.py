"""The one reader of JSON Lines: numbers, faults in words, and what is passed over."""

import msgspec
import pytest

from nova_judge.errors import InputFileError
from nova_judge.json_lines import Fault, read_lines, require_lines, whole_lines


class Item(msgspec.Struct):
    name: str
    sizes: list[int] = []


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"{}", Fault("field `name` is missing", "name")),
        (b'{"name": 5}', Fault("field `name`: expected `str`, got `int`", "name")),
        (
            b'{"name": "a", "sizes": [1, "x"]}',
            Fault("field `sizes`: expected `int`, got `str`", "sizes"),
        ),
        (b"[]", Fault("not a JSON object: expected `object`, got `array`")),
        (b'{"name": "\xff"}', Fault("not UTF-8: byte 11 of the line cannot be read")),
    ],
)
def test_a_fault_says_what_is_wrong_and_where(content, fault):
    assert list(read_lines([content], Item)) == [(1, fault)]


@pytest.mark.parametrize("content", [b'{"name": "a', b'{"name": "\\ud83d"}', b"{'a': 1}"])
def test_what_is_no_json_is_called_so(content):
    ((_, fault),) = read_lines([content], Item)
    assert fault.reason.startswith("not JSON: ")


def test_a_byte_order_mark_and_blank_lines_are_passed_over_and_numbers_stay():
    lines = [b'\xef\xbb\xbf{"name": "a"}\r\n', b"\n", b"  \r\n", b'\xef\xbb\xbf{"name": "b"}']
    assert list(read_lines(lines, Item)) == [(1, Item("a")), (4, Item("b"))]


def test_a_required_file_is_refused_at_its_first_fault(tmp_path):
    path = tmp_path / "items.jsonl"
    path.write_bytes(b'{"name": "a"}\n{}\n')
    with pytest.raises(InputFileError, match=r"items\.jsonl, line 2: field `name` is .*\. A name"):
        list(require_lines(path, Item, InputFileError, "A name"))


def test_the_line_that_a_head_cuts_is_left_out():
    assert whole_lines(b"a\nb", 3) == b"a\nb"
    assert whole_lines(b"a\nb", 9) == b"a\n"
    assert whole_lines(b"ab", 9) == b""
