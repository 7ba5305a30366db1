//! JSON of every kind, right and wrong, in every place of a record.

use crate::trial::agree;

/// Values that JSON has.
const RIGHT: &[&str] = &[
    "0",
    "-0",
    "1",
    "-1",
    "12345678",
    "123456789",
    "1234567812345678",
    "12345678123456781",
    "0.0",
    "0.5",
    "-0.5",
    "12.50",
    "1.23456789",
    "1.12345678123456789",
    "12345678.5",
    "1e400",
    "1E400",
    "1e-400",
    "1E+2",
    "0e0",
    "0e+1",
    "0E-1",
    "1.5e3",
    "-1.5E-3",
    "100000000000000000000000000000000000000000000000000",
    "true",
    "false",
    "null",
    "\"\"",
    "\"a\"",
    "\"\\\"\"",
    "\"\\\\\"",
    "\"\\/\"",
    "\"\\b\\f\\n\\r\\t\"",
    "\"\\u0041\"",
    "\"\\u00e9\"",
    "\"\\uD83D\\uDE00\"",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\ud800\\ud800\"",
    "\"\\ud800x\"",
    "\"\\u0000\"",
    "\"\x7f\"",
    "\"\u{80}\"",
    "\"\u{feff}\"",
    "\"\u{2028}\"",
    "\"\u{10ffff}\"",
    "\"ä€😀\"",
    "\"a\\\\\"",
    "\"\\\\\\\"\"",
    "\"{}[],:\"",
    "\"a text of sixteen\"",
    "\"a text that is longer than what two words of sixty-four bits can mark at once, to be sure of it\"",
    "[]",
    "[ ]",
    "[1]",
    "[1,2]",
    "[ 1 , 2 ]",
    "[[]]",
    "[{}]",
    "[{\"id\":1}]",
    "{}",
    "{ }",
    "{\"a\":1}",
    "{\"a\":1,\"a\":2}",
    "{\"er\":1}",
    "{\"est\":[1]}",
    "{\"est\":[[1]]}",
    "{\"est\":{\"0\":1}}",
    "{\"est\":{\"0\":1,\"0\":2}}",
    "{\"\\u0065r\":1}",
    "{\"er\":1,\"\\u0065r\":1}",
    "{\"\":1}",
    "{\"\\ud800\":1}",
    "{\"x\":{\"\\ud800\":1}}",
    "[{\"\\ud800\":1}]",
    "{\"est\":[{\"\\ud800\":1}]}",
];

/// What JSON does not have, or not as a value.
const WRONG: &[&str] = &[
    "",
    "01",
    "00",
    "-01",
    "-",
    "--1",
    "+1",
    "1.",
    "-1.",
    ".5",
    "-.5",
    "1.e5",
    "1e",
    "1e+",
    "1E-",
    "1ee2",
    "1e5.5",
    "0x1",
    "1_000",
    "1,5",
    "1 2",
    "NaN",
    "-NaN",
    "Infinity",
    "-Infinity",
    "inf",
    "nul",
    "nulll",
    "Null",
    "NULL",
    "tru",
    "truee",
    "True",
    "fals",
    "falsee",
    "undefined",
    "'a'",
    "a",
    "\"",
    "\"a",
    "\"\\",
    "\"\\\"",
    "\"\\x41\"",
    "\"\\u\"",
    "\"\\u1\"",
    "\"\\u12g4\"",
    "\"\\u123\"",
    "\"\\U0041\"",
    "\"\\a\"",
    "\"\\0\"",
    "\"\\ \"",
    "\"\x01\"",
    "\"\x1f\"",
    "\"\t\"",
    "\"\n\"",
    "\"\r\"",
    "\"\0\"",
    "\"a\"b\"",
    "\"a\"\"b\"",
    "\"a\" \"b\"",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[,]",
    "[1 2]",
    "[1,,2]",
    "[1:2]",
    "[1}",
    "{",
    "}",
    "{]",
    "{1:2}",
    "{a:1}",
    "{'a':1}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\" 1}",
    "{\"a\",1}",
    "{\"a\":1,}",
    "{,\"a\":1}",
    "{\"a\":1,,\"b\":2}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1;\"b\":2}",
    "{\"a\"::1}",
    "{\"a\":1}}",
    "{\"\x01\":1}",
    "{\"\\x\":1}",
    "{\"a\":1",
    "{null:1}",
    "/**/1",
    "//\n1",
    "1//",
    "#1",
    "\u{feff}1",
    "\u{a0}1",
    "\u{2003}1",
    "\x0b1",
    "\x0c1",
    "1\x0c",
    "\0",
    "1\0",
    "\u{7f}",
];

/// Where a value stands.
const FRAMES: &[&str] = &[
    "@",
    "{\"id\":@}",
    "{\"x\":@}",
    "{\"id\":@,\"value\":1}",
    "{\"customer\":\"c\",\"x\":@,\"value\":1}",
    "{\"deep\":@,\"value\":1}",
    "{\"deep\":{\"er\":@,\"x\":@},\"k\":1}",
    "{\"deep\":{\"est\":[@,1]}}",
    "{\"x\":[1,@,{\"y\":@}],\"value\":2}",
    "[@]",
    "[@,@]",
    "[{\"id\":1},@,{\"id\":@}]",
    "{\"id\":1}@{\"id\":2}",
    "{\"id\":1}\n@\n{\"id\":2}",
    "\u{feff}{\"id\":@}",
    " \t\r{ \t\r\"id\" \t\r: \t\r@ \t\r} \t\r",
    "{\n\"id\"\n:\n@\n}\n",
];

/// Keys, between which and the colon stands nothing.
const KEYS: &[&str] = &[
    "\"id\"",
    "\"\"",
    "\"i\\u0064\"",
    "\"\\ud800\"",
    "\"i\\x\"",
    "\"id",
    "id\"",
    "id",
    "'id'",
    "1",
    "null",
    "\"i\x01\"",
    "\"i\0\"",
    "\"a\\/b\"",
    "\"a/b\"",
    "\"a~1b\"",
    "\"k\" \"k\"",
    "\"ä\"",
    "\"k",
    "{}",
    "[]",
    "\"id\":",
    "\"id\",",
    ",\"id\"",
];

fn all_agree<'c>(cases: impl IntoIterator<Item = Vec<u8>> + 'c) {
    for case in cases {
        if let Err(difference) = agree(&case) {
            panic!("{difference}");
        }
    }
}

#[test]
fn every_kind_of_value_is_taken_or_refused_as_serde_json_does_it_in_every_place() {
    let values = RIGHT.iter().chain(WRONG);
    all_agree(values.flat_map(|value| FRAMES.iter().map(|frame| frame.replace('@', value).into_bytes())));
}

#[test]
fn what_is_refused_is_refused_and_what_is_taken_is_taken() {
    // That both sides agree is no use if they agree on nothing.
    let read = |value: &str| {
        let text = format!("{{\"x\":{value}}}");
        crate::trial::lines(&mut crate::trial::picker(), &[text.as_bytes()], false)
    };
    for value in RIGHT {
        assert!(read(value).is_some_and(|read| read.starts_with("line 1: [")), "{value}");
    }
    for value in WRONG.iter().filter(|value| !matches!(**value, "{\"a\":1}}" | "//\n1" | "\"\n\"")) {
        assert!(read(value).is_none_or(|read| read == "line 1: no record\n"), "{value}: {:?}", read(value));
    }
}

#[test]
fn every_kind_of_key_is_taken_or_refused_as_serde_json_does_it() {
    let frames =
        ["{@:1}", "{@:1,\"value\":2}", "{\"value\":1,@:2}", "{\"deep\":{@:1}}", "{\"x\":{@:1},\"k\":1}", "[{@:1}]"];
    all_agree(KEYS.iter().flat_map(|key| frames.iter().map(move |frame| frame.replace('@', key).into_bytes())));
}

#[test]
fn every_byte_is_taken_or_refused_as_serde_json_does_it_wherever_it_stands() {
    for frame in [
        "{\"id\":\"x@y\"}",
        "{\"x@\":1}",
        "{\"id\":1@,\"k\":2}",
        "{@\"id\":1}",
        "@{\"id\":1}",
        "{\"id\":1}@",
        "{\"id\":@1}",
    ] {
        let (before, after) = frame.split_once('@').unwrap();
        all_agree((0..=u8::MAX).map(|byte| [before.as_bytes(), &[byte], after.as_bytes()].concat()));
    }
}

#[test]
fn text_that_is_not_utf_8_is_refused_wherever_it_stands() {
    let wrong: [&[u8]; 10] = [
        b"\x80",
        b"\xc3",
        b"\xc3\x28",
        b"\xe2\x82",
        b"\xe2\x28\xa1",
        b"\xf0\x9f\x98",
        b"\xed\xa0\x80",
        b"\xc0\x80",
        b"\xf4\x90\x80\x80",
        b"\xff",
    ];
    let frames = [
        "{\"id\":\"@\"}",
        "{\"x\":\"@\"}",
        "{\"@\":1}",
        "{\"id\":1}@\n{\"id\":2}",
        "{\"id\":1}{\"x\":\"@\"}{\"id\":2}\n{\"id\":3}",
        "@",
    ];
    for frame in frames {
        let (before, after) = frame.split_once('@').unwrap();
        all_agree(wrong.map(|wrong| [before.as_bytes(), wrong, after.as_bytes()].concat()));
        all_agree(
            wrong
                .map(|wrong| [before.as_bytes(), wrong, b"\xc3\xa4", wrong, after.as_bytes(), b"\n{\"k\":1}"].concat()),
        );
    }
}

#[test]
fn depth_is_no_reason_to_refuse_what_nobody_asks_for() {
    for depth in [1, 63, 64, 65, 66, 127, 128, 129, 1000, 20_000] {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        let (objects, ends) = ("{\"a\":".repeat(depth), "}".repeat(depth));
        let cases = [
            format!("{{\"x\":{open}{close},\"id\":1}}"),
            format!("{{\"x\":{open}{},\"id\":1}}", &close[1..]),
            format!("{{\"id\":{open}{close}}}"),
            format!("{{\"deep\":{{\"er\":{objects}1{ends}}},\"id\":1}}"),
            format!("{{\"deep\":{objects}1{ends},\"id\":1}}"),
            format!("{open}{close}"),
            format!("{open}{{\"id\":1}}{close}"),
        ];
        all_agree(cases.map(String::into_bytes));
    }
}

#[test]
fn long_keys_and_long_texts_are_read_whole() {
    for length in [1, 15, 16, 17, 31, 32, 33, 44, 45, 46, 47, 48, 49, 63, 64, 65, 127, 128, 200, 40_000] {
        let long = "l".repeat(length);
        let escaped = format!("{}\\n{}", "l".repeat(length), "m".repeat(length));
        let cases = [
            format!("{{\"{long}\":1,\"id\":2,\"{long}k\":3,\"k\":4}}\n").repeat(3),
            format!("{{\"id\":\"{long}\",\"x\":\"{long}\",\"k\":\"{long}\"}}\n").repeat(3),
            format!("{{\"id\":\"{escaped}\",\"x\":\"{escaped}\",\"k\":\"{long}\"}}\n").repeat(2),
            format!("{{\"id\":\"{long}"),
            format!("{{\"id\":\"{long}\x01\"}}"),
            format!("{{{}\"id\":1,{}\"k\":2}}\n", " ".repeat(length), "\t".repeat(length)).repeat(3),
            format!("{{\"id\":{}}}", "1".repeat(length)),
            format!("{{\"id\":1.{},\"k\":2}}", "1".repeat(length)),
        ];
        all_agree(cases.map(String::into_bytes));
    }
}

#[test]
fn a_comma_is_neither_missing_nor_too_much_once_keys_are_known() {
    let known = "{\"id\":1,\"value\":2,\"k\":3}\n{\"value\":2,\"id\":1}\n{\"id\":1,\"k\":3}\n".repeat(2);
    let odd = [
        "{,\"id\":1}",
        "{\"id\":1\"value\":2}",
        "{\"id\":1,,\"value\":2}",
        "{\"id\":1,\"value\":2,}",
        "{\"value\":2\"k\":3}",
        "{,\"value\":2}",
        "{,\"k\":3}",
        "{\"id\":1 \"value\":2}",
        "{\"id\":1{\"value\":2}}",
        "{\"id\":1}\"value\":2}",
        "{\"id\"1}",
        "{\"value\":2,\"id\":1,\"k\":3}",
        "{\"k\":3,\"id\":1,\"value\":2}",
        "{\"k\":3,\"k\":3}",
        "{\"id\":1,\"id\":1}",
    ];
    all_agree(odd.map(|odd| format!("{known}{odd}\n{known}").into_bytes()));
}

#[test]
fn a_known_key_is_another_one_if_any_bit_of_it_is() {
    for key in ["k", "customer", "a key of twenty bytes", "a long key, which is asked for nevertheless"] {
        let known = format!("{{\"id\":0, \"{key}\":1}}\n");
        for at in 0..known.len() - 1 {
            for bit in 0..8 {
                let mut other = known.clone().into_bytes();
                other[at] ^= 1 << bit;
                all_agree([[known.as_bytes(), &other, known.as_bytes()].concat()]);
            }
        }
    }
    // These two differ in the highest bits alone.
    all_agree(
        ["{\"id\":0,\"C$\":1}\n{\"id\":0,\"\u{e4}\":1}\n", "{\"C$\":1}\n{\"\u{e4}\":1}\n"]
            .map(|text| text.as_bytes().to_vec()),
    );
}
