"""Vectors lie in a file of their own, which says when it is not what it should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import ModelError
from kb.search.vectors import VectorFile, best, vector_path

WIDTH = 8


def unit_rows(count: int, seed: int = 0) -> npt.NDArray[np.float32]:
    rows = np.random.default_rng(seed).standard_normal((count, WIDTH)).astype(np.float32)
    result: npt.NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return result


def opened(folder: Path, identity: str = "m", width: int = WIDTH) -> VectorFile:
    return VectorFile(vector_path(folder, identity), identity, width)


@pytest.fixture
def vectors(tmp_path: Path) -> VectorFile:
    found = opened(tmp_path)
    found.ensure()
    return found


def test_rows_come_back_as_they_went_in(vectors: VectorFile) -> None:
    rows = unit_rows(5)
    assert vectors.append(rows[:2]) == 0
    assert vectors.append(rows[2:]) == 2
    assert vectors.rows == 5
    np.testing.assert_array_equal(vectors.read([4, 0]), rows[[4, 0]])
    np.testing.assert_array_equal(opened(vectors.path.parent).matrix(), rows)


def test_a_scan_is_exact_and_best_first(vectors: VectorFile) -> None:
    rows = unit_rows(300)
    vectors.append(rows)
    found = vectors.scan(rows[7], 10)
    expected = np.argsort(-(rows @ rows[7]), kind="stable")[:10]
    assert [row for row, _ in found] == expected.tolist()
    assert found[0][1] == pytest.approx(1.0, abs=1e-6)


def test_the_best_are_of_the_rows_allowed(vectors: VectorFile) -> None:
    rows = unit_rows(50)
    vectors.append(rows)
    found = best(vectors.cosines(rows[7]), 10, {3, 9, 41, 5000})
    assert {row for row, _ in found} == {3, 9, 41}
    assert best(vectors.cosines(rows[7]), 10, []) == []


def test_an_empty_file_finds_nothing(vectors: VectorFile) -> None:
    assert vectors.scan(unit_rows(1)[0], 10) == []


def test_ensure_leaves_a_good_file_alone(vectors: VectorFile) -> None:
    vectors.append(unit_rows(3))
    model = vectors.model
    again = opened(vectors.path.parent)
    assert again.ensure() is False
    assert (again.model, again.rows) == (model, 3)


def test_a_file_made_anew_has_another_name_for_the_store(vectors: VectorFile) -> None:
    model = vectors.model
    vectors.path.unlink()
    again = opened(vectors.path.parent)
    assert again.ensure() is True
    assert again.model != model
    assert again.model.startswith("m@")


def test_a_missing_file_says_that_nothing_is_embedded(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nothing is embedded yet") as caught:
        opened(tmp_path).scan(unit_rows(1)[0], 1)
    assert "kb sync" in caught.value.hint


def test_a_file_cut_short_says_so_and_the_next_append_mends_it(vectors: VectorFile) -> None:
    rows = unit_rows(4)
    vectors.append(rows)
    with vectors.path.open("r+b") as file:
        file.truncate(vectors.path.stat().st_size - 5)
    again = opened(vectors.path.parent)
    with pytest.raises(ModelError, match="cut short"):
        again.scan(rows[0], 1)
    assert again.rows == 3
    assert again.append(rows[3:]) == 3
    np.testing.assert_array_equal(again.matrix(), rows)


def test_a_file_cut_inside_its_header_is_replaced_by_ensure(vectors: VectorFile) -> None:
    vectors.append(unit_rows(2))
    vectors.path.write_bytes(vectors.path.read_bytes()[:20])
    again = opened(vectors.path.parent)
    with pytest.raises(ModelError, match="cut short"):
        _ = again.rows
    assert again.ensure() is True
    assert again.rows == 0


def test_a_file_of_another_width_says_both_widths(vectors: VectorFile) -> None:
    with pytest.raises(ModelError, match=r"8 numbers each, while the model is m with 16"):
        _ = opened(vectors.path.parent, width=16).rows


def test_what_is_no_vector_file_is_refused(tmp_path: Path) -> None:
    path = vector_path(tmp_path, "m")
    path.write_bytes(b"x" * 1000)
    with pytest.raises(ModelError, match="not a file of vectors"):
        _ = opened(tmp_path).rows


def test_a_query_of_another_width_is_refused(vectors: VectorFile) -> None:
    vectors.append(unit_rows(2))
    with pytest.raises(ModelError, match="4 numbers against vectors of 8"):
        vectors.scan(np.zeros(4, dtype=np.float32), 1)


def test_rows_of_another_width_are_not_appended(vectors: VectorFile) -> None:
    with pytest.raises(ModelError):
        vectors.append(np.zeros((2, 4), dtype=np.float32))
    assert vectors.rows == 0


def test_a_compaction_is_seen_only_when_published(vectors: VectorFile) -> None:
    rows = unit_rows(6)
    vectors.append(rows)
    old = vectors.model
    compaction = vectors.compacted([5, 1])
    assert opened(vectors.path.parent).model == old
    compaction.publish()
    assert vectors.model == compaction.model == opened(vectors.path.parent).model != old
    np.testing.assert_array_equal(vectors.matrix(), rows[[5, 1]])


def test_a_discarded_compaction_leaves_no_trace(vectors: VectorFile) -> None:
    vectors.append(unit_rows(6))
    vectors.compacted([0]).discard()
    assert [path.name for path in vectors.path.parent.iterdir()] == [vectors.path.name]
    assert vectors.rows == 6


def test_a_reader_keeps_the_generation_it_opened(vectors: VectorFile) -> None:
    rows = unit_rows(6)
    vectors.append(rows)
    reader = opened(vectors.path.parent)
    seen = reader.matrix()
    vectors.compacted([5]).publish()
    np.testing.assert_array_equal(seen, rows)


@given(st.lists(st.floats(-1, 1, width=32), max_size=30), st.integers(-1, 40))
def test_best_is_the_head_of_the_sorted_whole(values: list[float], k: int) -> None:
    array = np.asarray(values, dtype=np.float32)
    expected = sorted(range(len(values)), key=lambda place: (-array[place], place))
    got = [row for row, _ in best(array, k)]
    assert [array[row] for row in got] == [array[row] for row in expected[: max(k, 0)]]


def test_half_a_row_left_by_a_crash_is_told_and_taken_away_by_the_next_writer(vectors: VectorFile) -> None:
    rows = unit_rows(3)
    vectors.append(rows)
    with vectors.path.open("ab") as file:
        file.write(b"\x01" * 5)
    assert not opened(vectors.path.parent).holds(lambda _: 3)
    with pytest.raises(ModelError, match="cut short"):
        opened(vectors.path.parent).matrix()
    vectors.ensure()
    assert opened(vectors.path.parent).holds(lambda _: 3)
    np.testing.assert_array_equal(opened(vectors.path.parent).matrix(), rows)


def test_a_long_file_is_scanned_in_parts_with_the_same_result(
    vectors: VectorFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = unit_rows(50)
    vectors.append(rows)
    monkeypatch.setattr("kb.search.vectors._BLOCK", 7)
    np.testing.assert_allclose(vectors.cosines(rows[3]), rows @ rows[3], atol=1e-6)
    np.testing.assert_array_equal(vectors.matrix(), rows)
