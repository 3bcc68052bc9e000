"""Compressed files: found by their bytes, read to the break when they are cut."""

from __future__ import annotations

import gzip
import json
from hashlib import sha256

import pytest
import zstandard

from segctl.connectors.files import ReadOptions
from segctl.model.errors import DataError, UsageError

TEXT = b"id,name\n" + b"".join(b"%d,name %d\n" % (n, n * 7919) for n in range(20_000))
# Little to compress, so that it takes many blocks.
LONG = b"id,name\n" + b"".join(b"%d,%s\n" % (n, sha256(b"%d" % n).hexdigest().encode()) for n in range(20_000))


def compressed(how: str, data: bytes = TEXT) -> bytes:
    return gzip.compress(data) if how == "gzip" else zstandard.compress(data)


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_compression_is_found_whatever_the_name_says(content_of, how):
    content = content_of(compressed(how), name="data.csv")

    assert content.detected.compression == how
    assert len(content.rows) == 20_000
    assert content.rows[-1] == ("19999", f"name {19999 * 7919}")
    assert content.done == content.detected.bytes


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_several_members_are_one_file(content_of, how):
    content = content_of(compressed(how, b"a,b\n1,x\n") + compressed(how, b"2,y\n"))

    assert content.rows == [("1", "x"), ("2", "y")]
    assert content.bad == []


def test_zeros_after_a_gzip_file_are_padding(content_of):
    assert content_of(compressed("gzip", b"a,b\n1,x\n") + bytes(512)).bad == []


@pytest.mark.parametrize("how", ["gzip", "zstd"])
@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_cut_file_gives_the_rows_before_the_cut_and_says_where_it_breaks_off(content_of, how, share):
    data = compressed(how, LONG)
    cut = int(len(data) * share)

    content = content_of(data[:cut])

    whole = [tuple(line.split(",")) for line in LONG.decode().splitlines()[1:]]
    assert content.rows == whole[: len(content.rows)]
    assert 20_000 * share - 4_000 < len(content.rows) < 20_000
    assert [code for _, code in content.codes] == ["SEG367"]
    assert f"byte {cut:,}" in content.bad[0].reason.message
    assert content.bad[0].line == len(content.rows) + 2
    assert ",".join(whole[len(content.rows)]).startswith(content.bad[0].raw)


def test_a_damaged_gzip_gives_the_rows_before_the_damage(content_of):
    data = bytearray(gzip.compress(LONG))
    half = len(data) // 2
    data[half : half + 200] = b"\xff" * 200

    content = content_of(bytes(data))

    # Until the damage shows, inflating gives letters that make bad rows.
    assert content.codes[-1][1] == "SEG367"
    assert "damaged near byte" in content.bad[-1].reason.message
    assert len(content.rows) > 8_000


def test_a_gzip_cut_inside_quotes_keeps_the_record_whole_in_bad(content_of):
    text = b'a,b\n1,x\n2,"y\nz'
    data = gzip.compress(text)[:-8]  # without the check sum

    content = content_of(data)

    assert content.rows == [("1", "x")]
    assert [(row.line, row.raw) for row in content.bad] == [(3, '2,"y\nz')]


def test_a_gzip_cut_within_its_header(content_of):
    content = content_of(gzip.compress(TEXT)[:6], ReadOptions(format="csv"))

    assert content.rows == []
    assert [code for _, code in content.codes] == ["SEG367"]


@pytest.mark.parametrize("data", [b"BZh91AY", b"\xfd7zXZ\x00\x00", b"7z\xbc\xaf\x27\x1c", b"PK\x03\x04" + bytes(40)])
def test_other_archives_are_refused_by_name(content_of, data):
    with pytest.raises(DataError) as refused:
        content_of(data)

    assert refused.value.code == "SEG344"


def test_an_unknown_compression_is_refused(content_of):
    with pytest.raises(UsageError) as refused:
        content_of(b"a,b\n", ReadOptions(compression="lzma"))

    assert refused.value.code == "SEG354"


def test_compressed_ndjson_and_json(content_of):
    lines = b"".join(b'{"id": "%s"}\n' % sha256(b"%d" % n).hexdigest().encode() for n in range(9_000))

    assert len(content_of(gzip.compress(lines), name="a.gz").rows) == 9_000
    cut = content_of(zstandard.compress(b"[" + lines.replace(b"\n", b",\n"))[:-90], name="b.json.zst")
    assert [code for _, code in cut.codes] == ["SEG367"]
    assert cut.dicts == [json.loads(line) for line in lines.splitlines()[: len(cut.rows)]]
    assert len(cut.rows) > 4_000
