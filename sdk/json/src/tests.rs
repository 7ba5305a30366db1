//! What is read, and that it is what serde_json reads.

mod corpus;
mod cuts;
mod quick;
mod random;
mod words;

use std::rc::Rc;

use crate::{Picker, Pointers, Slot};

/// A picker of these fields, and their slots.
fn picker(wanted: &[&str]) -> (Picker, Vec<usize>) {
    let mut pointers = Pointers::default();
    let slots = wanted.iter().map(|pointer| pointers.slot(pointer).unwrap()).collect();
    (Picker::new(Rc::new(pointers)), slots)
}

/// What a record holds at these pointers, the sure way.
fn exactly<'t>(wanted: &[&str], text: &'t str) -> Vec<Slot<'t>> {
    let mut pointers = Pointers::default();
    let places: Vec<usize> = wanted.iter().map(|pointer| pointers.slot(pointer).unwrap()).collect();
    let mut slots = vec![Slot::Missing; pointers.slots()];
    crate::exact::record(&pointers, text, &mut slots).unwrap();
    places.into_iter().map(|slot| slots[slot]).collect()
}

/// Records of all kinds, most of which are JSON.
const SEEDS: [&str; 14] = [
    r#"{"id":"r-1","customer":"acme","value":12.50,"other":"text","more":null}"#,
    r#" { "customer" : "ac\"me" , "id" : 7e-3 ,"value":-0,"deep":{"er":true,"x":[1,2,{"y":[]}]}} "#,
    r#"{"deep":{"est":["a","b"],"er":"\u00e9\ud83d\ude00"},"k":{},"value":"1"}"#,
    r#"{"deep":5,"k":[{"id":1}],"id":"","long key that is not wanted and is longer than what is remembered":1}"#,
    r#"{"id":1,"id":2,"customer":"ä€😀","value":1e999,"k":false}"#,
    r#"{"\u0069d":1,"deep":{"er":1},"deep":{"er":2}}"#,
    r#"{}"#,
    r#"[{"id":1},{"id":2},7,{"k":"x"}]"#,
    r#"{"id" :1, "customer"	: "x" ,"value": 1.5,"long key that is not wanted, of sixty bytes or more, to be sure":"a text of more than sixteen bytes \\ ä with \" in it","k":""}"#,
    r#"{"a":[[[[[[[[[[{"b":{"c":{"d":"\\\"\/\b\f\n\r\t"}}}]]]]]]]]]],"value":0.0E+10,"n":-12.0e-7}"#,
    r#"{"id":"r-1","customer":"acme","value":12.50}{"id":"r-2","customer":"acme","value":0.5} {"id":"r-3","value":1763634471636,"customer":"b"}"#,
    r#"{"id":"r-2","value":123456789012345678901234567890.5,"x":"0123456789012345678901234567890123456789012345678901234567890123456789","k":12345678,"a/b":1}"#,
    r#"{"id":"r-4","k":123456789,"deep":{"est":{"0":"zero"},"er":[1,{"er":2}]},"value":12345678.12345678}"#,
    "{\"id\":\"r-5\",\r\"customer\":\t\"acme\"}\r\n{\"id\":\n\"r-6\"}\n\n",
];
