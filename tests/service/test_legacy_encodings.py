"""Names typed in the encodings of before Unicode are told from names of any language that are only unusual."""

import pytest

from service.takeover.legacy_encodings import legacy_encoding

TCVN3 = [
    *("NguyÔn V¨n An", "Hoµng ThÞ SÇm", "TriÖu ThÞ MÈy", "L\u00ad\u00acng ThÞ Lª", "§ç ThÞ YÕn", "N«ng ThÞ L¶"),
    *("Hïng", "QuyÕt", "Vi V¨n §øc", "Ngµy vµo c©u l¹c bé", "Thêi h¹n (th¸ng)"),
]
VNI = [
    *("Nguyeãn Vaên An", "Hoaøng Thò Saàm", "Traàn Thò Leâ", "Ñoã Thò Lyù", "Phaïm Vaên Ñöùc", "Löông Thò Hueä"),
    *("NGUYEÃN VAÊN AN", "Quyønh"),
]
UNICODE = [
    *("Hoàng Thị Sầm", "Lý Văn Páo", "Vi Dòng", "LÔ THÍ", "Lò Văn Ín", "Giàng Seo Lùng", "Khuya", "Xoăn", "Giếng"),
    *("K'Brơi", "H'Hen Niê", "Bríu Pố", "Y Blim", "Ksor Tài", "Đặng Mùi Khé", "Ngoẹo", "Huỳnh Khuyên"),
    *("François", "Müller", "Bjørn", "Nuñez", "José", "André", "Noël", "Zoé", "Loïc Martin", "Łukasz", "山田", ""),
    *("0912 345 678", "loa kéo", "bàn, ghế (gỗ)", "2 m²", "½ tạ", "45°"),
]


@pytest.mark.parametrize("text", TCVN3)
def test_tcvn3_is_recognised(text: str) -> None:
    assert legacy_encoding(text) == "TCVN3 (ABC)"


@pytest.mark.parametrize("text", VNI)
def test_vni_is_recognised(text: str) -> None:
    assert legacy_encoding(text) == "VNI"


@pytest.mark.parametrize("text", UNICODE)
def test_what_is_written_in_unicode_is_left_in_peace(text: str) -> None:
    assert legacy_encoding(text) is None
