//! The quick way through a record means what the sure one does.

use crate::scan::{self, Orders};
use crate::slot::Slot;
use crate::tree::Tree;
use crate::visitor::{NoRecord, visit};

/// The slots of some pointers, and a tree that leads to them.
fn tree(pointers: &[&str]) -> (Tree, Vec<usize>) {
    let mut tree = Tree::default();
    let slots = pointers.iter().map(|pointer| tree.slot("test", pointer).unwrap()).collect();
    (tree, slots)
}

fn visited<'de>(pointers: &[&str], text: &'de str) -> Vec<Slot<'de>> {
    let (tree, wanted) = tree(pointers);
    let mut slots = vec![Slot::Missing; tree.slots()];
    visit(&tree, text, &mut slots).unwrap();
    wanted.into_iter().map(|slot| slots[slot]).collect()
}

#[test]
fn pointers_lead_through_objects_and_lists() {
    let text = r#" {"a":{"b/c":1,"~":[true,{"d":"x\n"}]},"":null,"e\u0066":"ef","g":[[0]],"01":3} "#;
    let pointers = ["/a/b~1c", "/a/~0/1/d", "/", "/ef", "/g", "/01", "/a/~0/00", "/a/x"];
    let expected = [
        Slot::Number("1"),
        Slot::Escaped("\"x\\n\""),
        Slot::Null,
        Slot::Text("ef"),
        Slot::Other("[[0]]"),
        Slot::Number("3"),
        Slot::Missing,
        Slot::Missing,
    ];
    assert_eq!(visited(&pointers, text), expected);
}

#[test]
fn what_stands_there_twice_is_neither() {
    assert_eq!(visited(&["/a", "/b"], r#"{"a":1,"b":2,"a":1}"#), [Slot::Twice, Slot::Number("2")]);
    assert_eq!(visited(&["/a", "/b"], r#"{"a":1,"\u0061":1,"a":null}"#), [Slot::Twice, Slot::Missing]);
    // An object on the way, too, whatever it holds the second time.
    assert_eq!(visited(&["/a/x", "/a/y"], r#"{"a":{"x":1},"a":{"y":2}}"#), [Slot::Twice; 2]);
    assert_eq!(visited(&["/a/x", "/b"], r#"{"a":{"x":1},"a":7,"b":0}"#), [Slot::Twice, Slot::Number("0")]);
}

const POINTERS: [&str; 6] = ["/id", "/customer", "/value", "/deep/er", "/deep/est/0", "/k"];

const SEEDS: [&str; 10] = [
    r#"{"id":"r-1","customer":"acme","value":12.50,"other":"text","more":null}"#,
    r#" { "customer" : "ac\"me" , "id" : 7e-3 ,"value":-0,"deep":{"er":true,"x":[1,2,{"y":[]}]}} "#,
    r#"{"deep":{"est":["a","b"],"er":"\u00e9\ud83d\ude00"},"k":{},"value":"1"}"#,
    r#"{"deep":5,"k":[{"id":1}],"id":"","long key that is not wanted and is longer than what is remembered":1}"#,
    r#"{"id":1,"id":2,"customer":"ä€😀","value":1e999,"k":false}"#,
    r#"{"\u0069d":1,"deep":{"er":1},"deep":{"er":2}}"#,
    r#"{}"#,
    r#"[{"id":1}]"#,
    r#"{"id" :1, "customer"	: "x" ,"value": 1.5,"long key that is not wanted, of sixty bytes or more, to be sure":"a text of more than sixteen bytes \\ ä with \" in it","k":""}"#,
    r#"{"a":[[[[[[[[[[{"b":{"c":{"d":"\\\"\/\b\f\n\r\t"}}}]]]]]]]]]],"value":0.0E+10,"n":-12.0e-7}"#,
];

/// Compares both ways on one text. Answers whether the quick one had a word on it.
fn compare(tree: &Tree, orders: &mut Orders, text: &str) -> bool {
    let mut quick = vec![Slot::Missing; tree.slots()];
    let mut sure = quick.clone();
    let end = scan::record(tree, orders, text, 0, &mut quick);
    compare_lines(tree, orders, text);
    let Some(end) = end.filter(|&end| scan::space(text, end) == text.len()) else {
        return false;
    };
    match visit(tree, text, &mut sure) {
        Ok(()) => assert_eq!(quick, sure, "{text}"),
        Err(NoRecord::Json(error)) => panic!("read to {end}, but {error}: {text}"),
        Err(NoRecord::NotAnObject) => panic!("no object: {text}"),
    }
    true
}

/// Compares both ways on the second of three lines of a text, each of which is a record if the text is one.
fn compare_lines(tree: &Tree, orders: &mut Orders, text: &str) {
    let lines = format!("{}\n{text}\n{}", SEEDS[0], SEEDS[0]);
    let start = SEEDS[0].len() + 1;
    let line = lines[start..].split('\n').next().unwrap();
    let mut quick = vec![Slot::Missing; tree.slots()];
    let mut sure = quick.clone();
    let Some(next) = scan::line(tree, orders, &lines, start, &mut quick) else { return };
    assert_eq!(next, start + line.len() + 1, "{text:?}");
    match visit(tree, line, &mut sure) {
        Ok(()) => assert_eq!(quick, sure, "{text:?}"),
        Err(error) => panic!("{error:?}: {text:?}"),
    }
}

#[test]
fn a_line_ends_where_it_ends_though_the_record_might_go_on() {
    let (tree, _) = tree(&POINTERS);
    let mut orders = Orders::new(&tree);
    let mut slots = vec![Slot::Missing; tree.slots()];
    // The same text is a record where the end of a line is space. What was remembered of it counts for no line.
    for text in ["{\"id\"\n:1}", "{\"id\":\n1}", "{\n\"id\":1}", "{\"id\":1\n}", "\n{\"id\":1}", "{\"k\":[1,\n2]}"] {
        for _ in 0..2 {
            slots.fill(Slot::Missing);
            assert_eq!(scan::record(&tree, &mut orders, text, 0, &mut slots), Some(text.len()), "{text:?}");
            slots.fill(Slot::Missing);
            assert_eq!(scan::line(&tree, &mut orders, text, 0, &mut slots), None, "{text:?}");
        }
    }
    for (text, next) in [("{\"id\":1} \t\r\n{", Some(12)), ("{\"id\":1}", Some(8)), ("{\"id\":1} x\n", None)] {
        slots.fill(Slot::Missing);
        assert_eq!(scan::line(&tree, &mut orders, text, 0, &mut slots), next, "{text:?}");
    }
}

#[test]
fn a_key_that_is_too_long_to_be_remembered_does_not_stop_others_from_being() {
    let (tree, _) = tree(&["/id", "/k"]);
    let mut orders = Orders::new(&tree);
    let long = "l".repeat(60);
    let text = format!("{{\"{long}\":1,\"id\":2,\"{long}k\":3,\"k\":4}}");
    for _ in 0..3 {
        assert!(compare(&tree, &mut orders, &text));
    }
    assert_eq!(orders.remembered(0), [false, true, false, true]);
}

#[test]
fn the_quick_way_agrees_with_the_sure_one_on_all_kinds_of_records() {
    let (tree, _) = tree(&POINTERS);
    let mut orders = Orders::new(&tree);
    let quick: Vec<bool> = SEEDS.iter().map(|seed| compare(&tree, &mut orders, seed)).collect();
    // Lists that are led through, keys with escapes, and what is no object are left to the sure way.
    assert_eq!(quick, [true, true, false, true, true, false, true, false, true, true]);
}

#[test]
fn the_quick_way_agrees_with_the_sure_one_on_what_is_broken() {
    let (tree, _) = tree(&POINTERS);
    let mut orders = Orders::new(&tree);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    let splinters = b"{}[]\":,\\/ue0123456789.-+Ea\t\n\r \x01\x1f\x7f ntfidk\0\n\n";
    let mut agreed = 0;
    for round in 0..200_000 {
        let mut bytes = SEEDS[round % SEEDS.len()].as_bytes().to_vec();
        for _ in 0..next(4) {
            let at = next(bytes.len() + 1);
            match next(4) {
                0 => bytes.truncate(at),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                2 if at < bytes.len() => bytes[at] = splinters[next(splinters.len())],
                _ => bytes.insert(at, splinters[next(splinters.len())]),
            }
        }
        if let Ok(text) = std::str::from_utf8(&bytes) {
            agreed += usize::from(compare(&tree, &mut orders, text));
        }
    }
    assert!(agreed > 20_000, "{agreed}");
}

#[test]
fn a_value_ends_where_json_says_so() {
    let whole = [r#" "a\"b" "#, "[1,[2,{}]] ", "-1.5e3", "{\"a\":{\"b\":[true,false,null]}}"];
    for text in whole {
        assert_eq!(scan::value(text), Some(text.trim_end().len()), "{text}");
    }
    for broken in [
        "",
        " ",
        "01x",
        "-",
        "1.",
        "1e",
        "tru",
        "nul",
        "[1,]",
        "{\"a\"}",
        "{a:1}",
        "[1 2]",
        "\"\\x\"",
        "\"\\u12g4\"",
        "+1",
    ] {
        let whole = scan::value(broken).is_some_and(|end| end == broken.len());
        assert!(!whole, "{broken}");
    }
    // What is deep is left to the sure way, which has its own bound.
    assert_eq!(scan::value(&"[".repeat(10_000)), None);
}
