//! The quick way through a record, by itself.

use super::{SEEDS, exactly, picker};
use crate::Slot;
use crate::marks::Marks;
use crate::scan::Scan;
use crate::trial::WANTED;

/// Whether the quick way has a word on a text that is one record, and the exact one says the same.
fn quick<const LINE: bool>(text: &str) -> bool {
    let (mut picker, wanted) = picker(&WANTED);
    let mut slots = picker.slots();
    let mut marks = Marks::default();
    marks.mark(text.as_bytes());
    let mut scan = Scan::new(text, &marks);
    let begin = text.len() - text.trim_start().len();
    let found = (0..3).map(|_| match LINE {
        true => picker.parts().0.record::<true>(&mut scan, begin, &mut slots),
        false => picker.document().record::<false>(&mut scan, begin, &mut slots),
    });
    let ends: Vec<Option<usize>> = found.collect();
    assert!(ends.iter().all(|end| *end == ends[0]), "{text}: {ends:?}");
    if let Some(end) = ends[0] {
        let found: Vec<Slot<'_>> = wanted.into_iter().map(|slot| slots[slot]).collect();
        assert_eq!(found, exactly(&WANTED, &text[..end]), "{text}");
    }
    ends[0].is_some()
}

#[test]
fn only_what_is_rare_is_left_to_serde_json() {
    let quick = SEEDS.map(quick::<true>);
    // Lists that are led through, keys with escapes, what is no object, and what goes on in the next line.
    let expected = [true, true, false, true, true, false, true, false, true, true, true, true, true, true];
    assert_eq!(quick, expected);
}

#[test]
fn the_end_of_a_line_is_space_in_a_document_only() {
    for text in
        ["{\"id\"\n:1}", "{\"id\":\n1}", "{\n\"id\":1}", "{\"id\":1\n}", "{\"k\":[1,\n2]}", "{\"id\":1,\n\"k\":2}"]
    {
        assert!(quick::<false>(text), "{text:?}");
        assert!(!quick::<true>(text), "{text:?}");
    }
}

#[test]
fn a_key_that_is_too_long_to_be_remembered_does_not_stop_others_from_being() {
    let (mut picker, _) = picker(&["/id", "/k"]);
    let long = "l".repeat(60);
    let text = format!("{{\"{long}\":1,\"id\":2,\"{long}k\":3,\"k\":4}}");
    let mut marks = Marks::default();
    marks.mark(text.as_bytes());
    let mut scan = Scan::new(&text, &marks);
    let mut slots = picker.slots();
    for _ in 0..2 {
        assert!(picker.parts().0.record::<true>(&mut scan, 0, &mut slots).is_some());
    }
    let remembered = picker.remembered(0);
    assert_eq!(remembered[..4], [false, true, false, true]);
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
    assert_eq!(exactly(&pointers, text), expected);
}

#[test]
fn what_stands_there_twice_is_neither() {
    assert_eq!(exactly(&["/a", "/b"], r#"{"a":1,"b":2,"a":1}"#), [Slot::Twice, Slot::Number("2")]);
    assert_eq!(exactly(&["/a", "/b"], r#"{"a":1,"\u0061":1,"a":null}"#), [Slot::Twice, Slot::Missing]);
    // An object on the way, too, whatever it holds the second time.
    assert_eq!(exactly(&["/a/x", "/a/y"], r#"{"a":{"x":1},"a":{"y":2}}"#), [Slot::Twice; 2]);
    assert_eq!(exactly(&["/a/x", "/b"], r#"{"a":{"x":1},"a":7,"b":0}"#), [Slot::Twice, Slot::Number("0")]);
}
