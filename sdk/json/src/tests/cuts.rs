//! The same, however it is cut.

use crate::trial::{agree, agree_wherever_it_is_cut};

use super::SEEDS;

#[test]
fn lines_are_the_same_wherever_they_are_cut() {
    let odd = [
        "\u{feff}{\"id\":1}\n",
        "\u{feff}\u{feff}{\"id\":1}\n",
        " \u{feff}{\"id\":1}\n",
        "{\"id\":1}}{\"id\":2}\n{\"id\":3}",
        "{\"id\":1} x {\"id\":2}\n{\"id\":3} {\"id\":\"ä€😀\"}   \r\n  \r\n",
        "{\"id\":1}\0\n{\"id\":2}",
        "{\"id\":\"\\u00e9\"}{\"deep\":{\"est\":[1]}}{\"deep\":{\"est\":[2]}}",
        "{\"id\":1}{\"\\ud800\":1}{\"id\":2}\n",
        "5{\"id\":1}\n\"{\" {}\n",
        "\n\n{\"id\":1}\r\r\n\x0c\n",
    ];
    for text in SEEDS.iter().chain(&odd) {
        for bytes in
            [text.as_bytes().to_vec(), [text.as_bytes(), b"\n\xff\n{\"k\":\"\xf0\x9f\"}\n", text.as_bytes()].concat()]
        {
            if let Err(difference) = agree_wherever_it_is_cut(&bytes) {
                panic!("{difference}");
            }
        }
    }
}

#[test]
fn every_beginning_of_a_record_is_what_serde_json_says() {
    for text in SEEDS {
        for end in 0..text.len() {
            let bytes = &text.as_bytes()[..end];
            for bytes in [bytes.to_vec(), [bytes, b"\n", text.as_bytes()].concat(), [bytes, text.as_bytes()].concat()] {
                if let Err(difference) = agree(&bytes) {
                    panic!("{difference}");
                }
            }
        }
    }
}

#[test]
fn what_is_longer_than_a_chunk_is_read_as_what_is_short() {
    // Lines, records without lines, and what is broken, on both sides of each boundary.
    for (seed, end) in [(0, "\n"), (0, ""), (10, "\n"), (4, "\n"), (1, ""), (13, "")] {
        let many = format!("{}{end}", SEEDS[seed]).repeat(35_000 / SEEDS[seed].len());
        for more in ["", "x\n{\"id\":1}", "\n{\"id\":\"", "{\"id\":\"\n{\"id\":1}\n"] {
            if let Err(difference) = agree(format!("{more}{many}{more}{{\"id\":1}}").as_bytes()) {
                panic!("{}", &difference[..difference.len().min(2000)]);
            }
        }
    }
}
