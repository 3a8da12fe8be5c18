"""A difference between two builds is found wherever it is, and a failed build is not compared."""

import pytest
import same_bytes


@pytest.fixture
def two(tmp_path):
    folders = tmp_path / "one", tmp_path / "other"
    for folder in folders:
        (folder / "book").mkdir(parents=True)
        (folder / "book" / "page.html").write_bytes(b"<p>A page of " + b"x" * 100 + b"</p>")
        (folder / "icons.woff2").write_bytes(bytes(range(256)))
    return folders


def test_equal_folders_have_no_differences(two):
    assert same_bytes.differences(*two) == []


def test_one_changed_byte_is_named_with_its_place(two):
    one, other = two
    (other / "icons.woff2").write_bytes(bytes(range(200)) + b"\0" + bytes(range(201, 256)))
    (line,) = same_bytes.differences(one, other)
    assert line.startswith("icons.woff2: byte 200: ")


def test_a_file_of_one_build_alone_is_named(two):
    one, other = two
    (other / "book" / "more.html").write_bytes(b"")
    assert same_bytes.differences(one, other) == ["book/more.html: only in other"]
    assert same_bytes.differences(other, one) == ["book/more.html: only in other"]


def test_a_longer_file_differs_where_the_shorter_ends(two):
    one, other = two
    with (other / "icons.woff2").open("ab") as file:
        file.write(b"!")
    (line,) = same_bytes.differences(one, other)
    assert line.startswith("icons.woff2: byte 256: ")


def test_nothing_is_not_the_same_as_nothing(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    with pytest.raises(ValueError, match="hold no file"):
        same_bytes.differences(tmp_path / "one", tmp_path / "other")


def test_the_two_builds_share_no_circumstance():
    first, second = same_bytes.CIRCUMSTANCES.values()
    assert {"PYTHONHASHSEED", "TZ", "LC_ALL"} <= first.keys() == second.keys()
    assert all(first[name] != second[name] for name in first)


def test_a_build_that_fails_says_what_it_printed(tmp_path, monkeypatch):
    monkeypatch.setattr(same_bytes, "STEPS", [("-c", "raise SystemExit('the theme is gone')")])
    with pytest.raises(SystemExit, match="ended with 1\nthe theme is gone"):
        same_bytes.build(tmp_path, {})


def test_what_a_build_makes_is_not_copied():
    runtime = str(same_bytes.ROOT / "_build" / "runtime")
    assert same_bytes.left_behind(runtime, ["lite", "run"]) == ["lite"]
    assert same_bytes.left_behind(f"{runtime}/run", ["lite", "pyodide"]) == []
