//! Objects of every format and compression, by their keys.

use std::io::Write as _;

use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::{JUNE, OMNISTRATE, pages, quarantined, request, rows, stage, unreadable};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// A layout that leaves the end of each key open, so that the key says how its object is written.
fn any_end() -> String {
    OMNISTRATE.replace("*.json", "*")
}

#[test]
fn the_end_of_a_key_says_the_format_and_the_first_bytes_the_compression() {
    let json = br#"[{"externalPayerId":"A","dimension":"cpu","value":1}]"#;
    let line = b"{\"externalPayerId\":\"A\",\"dimension\":\"cpu\",\"value\":1}\n";
    let csv = b"externalPayerId,dimension,value\nA,cpu,1\n";
    let objects = [
        ("a.json", json.to_vec()),
        ("b.json.gz", gzip(json)),
        ("c.json.zst", zstd(json)),
        ("d.ndjson.zst", zstd(line)),
        ("e.jsonl.gzip", gzip(line)),
        ("f.log.gz", gzip(line)),
        ("g.csv", csv.to_vec()),
        ("h.csv.gz", gzip(csv)),
        ("i.csv.zstd", zstd(csv)),
        ("j.log", gzip(line)),
        ("k.json.gz", json.to_vec()),
        ("l.json.zst", gzip(json)),
    ];
    let keyed = objects.iter().map(|(name, bytes)| (format!("m/2025/06/01/00/{name}"), bytes.as_slice()));
    let keyed: Vec<(String, &[u8])> = keyed.collect();
    let borrowed: Vec<(&str, &[u8])> = keyed.iter().map(|(key, bytes)| (key.as_str(), *bytes)).collect();
    let _folder = stage(&borrowed);
    let pages = pages(&any_end(), request(0, 1)).unwrap();
    assert_eq!(unreadable(&pages), Vec::<String>::new());
    assert_eq!(rows(&pages), vec![format!("A cpu 1 {}", JUNE.start); objects.len()]);
    let inputs = pages.iter().flat_map(|page| &page.inputs);
    let sizes: Vec<u64> = inputs.map(|read| read.input.size).collect();
    assert_eq!(sizes, objects.map(|(_, bytes)| bytes.len() as u64), "an input is as large as it is stored");
}

#[test]
fn the_layout_says_the_format_with_or_without_a_compression() {
    let csv = b"externalPayerId;dimension;value\n\"A;B\";cpu;1\n";
    let _folder = stage(&[("m/2025/06/01/00/a.csv.gz", &gzip(csv))]);
    let text = OMNISTRATE.replace("*.json", "*.csv.gz").replacen('{', "{\"delimiter\":\";\",", 1);
    assert_eq!(rows(&pages(&text, request(0, 1)).unwrap()), ["A;B cpu 1 1748736000000"]);
    // The key of each object says the rest.
    let text = OMNISTRATE.replace("*.json", "*.gz").replacen('{', "{\"delimiter\":\";\",", 1);
    assert_eq!(rows(&pages(&text, request(0, 1)).unwrap()), ["A;B cpu 1 1748736000000"]);
}

#[test]
fn a_compressed_object_that_breaks_off_counts_as_nothing_read() {
    let line = "{\"externalPayerId\":\"A\",\"dimension\":\"cpu\",\"value\":1}\n".repeat(50_000);
    for whole in [gzip(line.as_bytes()), zstd(line.as_bytes())] {
        let _folder = stage(&[
            ("m/2025/06/01/00/a.log.gz", &whole),
            ("m/2025/06/01/00/b.log.gz", &whole[..whole.len() - 1]),
            ("m/2025/06/01/00/c.log.gz", &[&whole[..], b"\n"].concat()),
        ]);
        let pages = pages(&any_end(), request(0, 1)).unwrap();
        let read: Vec<_> =
            pages.iter().flat_map(|page| &page.inputs).map(|read| (&*read.input.key, read.items)).collect();
        assert_eq!(read, [("m/2025/06/01/00/a.log.gz", 50_000)]);
        let held = unreadable(&pages);
        assert!(held[0].contains("b.log.gz: it is compressed with ") && held[0].contains("breaks off"), "{held:?}");
        assert!(held[1].contains("c.log.gz: it is compressed with "), "{held:?}");
        assert_eq!(held.len(), 2);
    }
}

#[test]
fn what_is_compressed_twice_is_not_taken_for_text() {
    let twice = gzip(&gzip(b"{}\n"));
    let _folder = stage(&[("m/2025/06/01/00/a.log.gz", &twice), ("m/2025/06/01/00/b.csv.gz", &twice)]);
    let pages = pages(&any_end(), request(0, 1)).unwrap();
    let held = unreadable(&pages);
    assert_eq!(
        held[0],
        "m/2025/06/01/00/a.log.gz: it is compressed twice, the second time with gzip; compress it once"
    );
    assert_eq!(held.len(), 2, "{held:?}");
}

#[test]
fn an_id_is_passed_on_exactly_from_every_format() {
    let ids = ["000123", "9007199254740993", "r-1", "\u{e4}\u{20ac}"];
    let text = any_end().replace("\"quantity\"", "\"id\": \"/id\", \"quantity\"");
    let csv: String = ids.map(|id| format!("A,cpu,1,{id}\n")).concat();
    let lines: String = ids
        .map(|id| format!("{{\"externalPayerId\":\"A\",\"dimension\":\"cpu\",\"value\":1,\"id\":\"{id}\"}}\n"))
        .concat();
    let numbers = "{\"externalPayerId\":\"A\",\"dimension\":\"cpu\",\"value\":1,\"id\":9007199254740993}\n{\"externalPayerId\":\"A\",\"dimension\":\"cpu\",\"value\":1,\"id\":null}\n";
    let _folder = stage(&[
        ("m/2025/06/01/00/a.csv", format!("externalPayerId,dimension,value,id\n{csv}A,cpu,1,\n").as_bytes()),
        ("m/2025/06/01/00/b.ndjson", lines.as_bytes()),
        ("m/2025/06/01/00/c.ndjson", numbers.as_bytes()),
    ]);
    let pages = pages(&text, request(0, 1)).unwrap();
    assert_eq!(quarantined(&pages), Vec::<String>::new());
    let found: Vec<Option<String>> =
        pages.iter().flat_map(|page| page.batch.rows()).map(|row| row.id().map(str::to_owned)).collect();
    let some = |id: &str| Some(id.to_owned());
    let all = ids.iter().copied().map(some).chain([None]).chain(ids.iter().copied().map(some));
    assert_eq!(found, all.chain([some("9007199254740993"), None]).collect::<Vec<_>>());
}
