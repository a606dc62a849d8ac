"""Files that no club would send are refused before they can do harm."""

import io
import os
import random
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl.xml.constants import SHEET_MAIN_NS

from service.takeover import spreadsheets
from service.takeover.spreadsheets import MAX_FILE
from tests.support.takeover import books, codes, fill, messages


def repacked(file: Path, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """A workbook with its parts changed, packed again."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return packed.getvalue()


def add(name: str, content: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda parts: parts.update({name: content})


def replace(name: str, old: bytes, new: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(parts: dict[str, bytes]) -> None:
        assert old in parts[name]
        parts[name] = parts[name].replace(old, new)

    return change


BILLION_LAUGHS = b'<!DOCTYPE lol [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
SHEET = "xl/worksheets/sheet1.xml"
MACRO_TYPE = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
PLAIN_TYPE = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"


def utf16_bomb(parts: dict[str, bytes]) -> None:
    parts[SHEET] = f'<?xml version="1.0" encoding="UTF-16"?>{BILLION_LAUGHS.decode()}<worksheet/>'.encode("utf-16")


def bomb_under_another_name(parts: dict[str, bytes]) -> None:
    """A sheet that does not look like XML by its name."""
    parts["xl/worksheets/sheet1.bin"] = BILLION_LAUGHS + parts.pop(SHEET)
    for name in ("[Content_Types].xml", "xl/_rels/workbook.xml.rels"):
        parts[name] = parts[name].replace(b"sheet1.xml", b"sheet1.bin")


def rows_backwards(parts: dict[str, bytes]) -> None:
    parts[SHEET] = parts[SHEET].replace(b'<row r="5"', b'<row r="2"')


def many_cells(parts: dict[str, bytes]) -> None:
    """One row of very many small cells, which a reader must hold in memory all at once."""
    digits = random.Random(4)
    cells = "".join(f'<c s="{digits.randrange(10)}"/>' for _ in range(450_000))
    parts[SHEET] = (
        f'<worksheet xmlns="{SHEET_MAIN_NS}"><sheetData><row r="1">{cells}</row></sheetData></worksheet>'.encode()
    )


HOSTILE = {
    "a bomb": (add("xl/media/image1.png", bytes(50 * 1024 * 1024)), "too-heavy"),
    "a smaller bomb in a sheet": (add(SHEET, bytes(4 * 1024 * 1024)), "too-heavy"),
    "more memory than allowed": (many_cells, "too-heavy"),
    "very many parts": (lambda parts: parts.update({f"xl/p{n}.xml": b"<p/>" for n in range(300)}), "too-heavy"),
    "entities": (replace(SHEET, b"<worksheet", BILLION_LAUGHS + b"<worksheet"), "xml-entities"),
    "entities in UTF-16": (utf16_bomb, "xml-entities"),
    "entities under another name": (bomb_under_another_name, "sheet-not-read"),
    "macros": (add("xl/vbaProject.bin", b"Sub Auto_Open()"), "macros-not-allowed"),
    "a macro workbook renamed": (replace("[Content_Types].xml", PLAIN_TYPE, MACRO_TYPE), "macros-not-allowed"),
    "another file within": (add("xl/embeddings/oleObject1.bin", b"MZ"), "macros-not-allowed"),
    "links outside": (add("xl/externalLinks/externalLink1.xml", b"<externalLink/>"), "external-links"),
    "a connection": (add("xl/connections.xml", b"<connections/>"), "external-links"),
    "rows out of order": (rows_backwards, "not-a-workbook"),
    "a row beyond all": (replace(SHEET, b'<row r="6"', b'<row r="999999999"'), "not-a-workbook"),
    "a cell beyond all": (replace(SHEET, b'r="H6"', b'r="XFD6"'), "table-too-large"),
    "cells out of order": (replace(SHEET, b'r="A6"', b'r="X6"'), "not-a-workbook"),
    "a cell of another row": (replace(SHEET, b'r="H6"', b'r="H7"'), "not-a-workbook"),
    "no workbook in it": (lambda parts: parts.pop("xl/workbook.xml"), "not-a-workbook"),
    "XML that ends early": (replace(SHEET, b"</worksheet>", b""), "not-a-workbook"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_workbook_is_refused(name: str, tmp_path: Path) -> None:
    change, code = HOSTILE[name]
    (tmp_path / "la.xlsx").write_bytes(repacked(fill(tmp_path / "cu.xlsx"), change))
    assert codes(tmp_path / "la.xlsx") == [code]


def test_an_archive_with_a_password_is_called_that(tmp_path: Path) -> None:
    packed = bytearray(fill(tmp_path / "cu.xlsx").read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := packed.find(signature, at + 1)) >= 0:
            packed[at + flags] |= 1
    (tmp_path / "kin.xlsx").write_bytes(packed)
    (told,) = messages(tmp_path / "kin.xlsx")
    assert told.startswith("Tệp kin.xlsx có đặt mật khẩu.")


def test_a_chart_on_a_sheet_of_its_own_is_named_and_not_passed_over(tmp_path: Path) -> None:
    told = messages(fill(tmp_path / "cu.xlsx", lambda book: book.create_chartsheet("Biểu đồ")))
    assert told == ["Tệp cu.xlsx có một trang chỉ gồm biểu đồ. Xin xóa trang này."]


def test_a_sheet_that_states_a_smaller_size_hides_no_row(tmp_path: Path) -> None:
    small = replace(SHEET, b'<dimension ref="A1:H6"', b'<dimension ref="A1:H5"')
    (tmp_path / "la.xlsx").write_bytes(repacked(fill(tmp_path / "cu.xlsx"), small))
    assert len(books(tmp_path / "la.xlsx").members) == 3


def test_a_part_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    size = 5 * 1024 * 1024
    packed = repacked(fill(tmp_path / "cu.xlsx"), add("xl/lies.xml", b"<p>" + bytes(size - 3)))
    assert packed.count(size.to_bytes(4, "little")) >= 2
    lying = packed.replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    (tmp_path / "la.xlsx").write_bytes(lying)
    assert codes(tmp_path / "la.xlsx") == ["not-a-workbook"]


@pytest.mark.parametrize("kept", [0, 10, 4_000, -30])
def test_a_truncated_workbook_is_refused(kept: int, tmp_path: Path) -> None:
    whole = fill(tmp_path / "cu.xlsx").read_bytes()
    (tmp_path / "la.xlsx").write_bytes(whole[:kept])
    assert codes(tmp_path / "la.xlsx") == ["not-a-workbook"]


def test_no_damaged_byte_brings_the_reader_down(tmp_path: Path) -> None:
    whole = fill(tmp_path / "cu.xlsx").read_bytes()
    damage = random.Random(47)
    for number in range(3):
        spoilt = bytearray(whole)
        for _ in range(20):
            spoilt[damage.randrange(len(spoilt))] = damage.randrange(256)
        file = tmp_path / f"hong-{number}.xlsx"
        file.write_bytes(spoilt)
        [code] = codes(file)  # Damage can also look like a password, or like a part of any size.
        assert code in {"not-a-workbook", "too-heavy", "has-password"}


def test_a_file_is_weighed_before_it_is_read(tmp_path: Path) -> None:
    for name in ("la.xlsx", "thanh-vien.csv"):
        (tmp_path / name).write_bytes(b"1" * 5 * MAX_FILE)
        assert codes(tmp_path / name) == ["file-too-large"]


OLD_WORKBOOK = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + "Workbook".encode("utf-16-le")
"""A compound file as Excel before 2007 wrote it, by the beginning and the name of its stream."""
WITH_PASSWORD = OLD_WORKBOOK[:512] + "EncryptionInfo\0\0EncryptedPackage".encode("utf-16-le")
"""A compound file around an encrypted workbook, by [MS-OFFCRYPTO]."""


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("la.xlsm", b"PK", "macros-not-allowed"),
        ("la.ods", b"PK", "file-kind-unknown"),
        ("la.xls", b"\xd0\xcf\x11\xe0", "old-workbook"),
        ("la.xlsx", OLD_WORKBOOK, "old-workbook"),
        ("la.xlsx", WITH_PASSWORD, "has-password"),
        ("la.xls", WITH_PASSWORD, "has-password"),
        ("la.xlsx", b"<html/>", "not-a-workbook"),
        ("thanh-vien.csv", "Số thành viên;Họ và tên".encode("utf-16"), "not-utf8"),
        ("thanh-vien.csv", "a;b\n1;2".encode("utf-16-le"), "not-utf8"),
        ("thanh-vien.csv", "Số thành viên;Họ và tên".encode("cp1258", "replace") + b"\xff", "not-utf8"),
        ("thanh-vien.csv", b'a;"b\n1;2', "not-a-csv"),
        ("thanh-vien.csv", b"a;b\n" + b"1;2\n" * 2_000, "table-too-large"),
        ("thanh-vien.csv", b"a;" * 51 + b"a", "table-too-large"),
    ],
)
def test_other_files_are_refused(name: str, content: bytes, code: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert codes(tmp_path / name) == [code]


def test_only_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ong.csv")
    for name in ("ong.csv", "khong-co.xlsx"):
        assert codes(tmp_path / name) == ["file-not-found"]


def test_a_reader_that_takes_too_long_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text("import time; time.sleep(600)")
    monkeypatch.setattr(spreadsheets, "__file__", str(slow))
    monkeypatch.setattr(spreadsheets, "CHILD_SECONDS", 0.1)
    assert codes(fill(tmp_path / "cu.xlsx")) == ["too-heavy"]


GREEDY = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("sheets", {file!r})
sheets = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sheets)
sheets.CHILD_SECONDS = 1
sheets._limit()
try:
    {greed}
except MemoryError:
    sys.exit(sheets.TOO_HEAVY)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
@pytest.mark.parametrize("greed", ["bytearray(2 ** 30)", "[_ for _ in iter(int, 1)]", "any(iter(int, 1))"])
def test_a_reader_that_takes_too_much_is_stopped(greed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    greedy = tmp_path / "greedy.py"
    greedy.write_text(GREEDY.format(file=spreadsheets.__file__, greed=greed))
    file = fill(tmp_path / "cu.xlsx")
    monkeypatch.setattr(spreadsheets, "__file__", str(greedy))
    assert codes(file) == ["too-heavy"]
