//! A plugin's JSON, read strictly and written anew. What is sent is what was read: two readers that differ about a key that stands
//! twice, an escape or what follows the end would let one table be checked and another one be written.
//!
//! Numbers and texts come out as they went in. Of escapes, those that JSON asks for are left, and space between values is gone.

use std::collections::HashSet;

/// Twice the 32 levels of an item of DynamoDB, each of which is written as two, and what stands around them.
const DEEPEST: usize = 100;

/// What is wrong with a body. The text follows "the body".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("is not JSON: {what} at byte {at}")]
    NotJson { what: &'static str, at: usize },
    #[error("has the key {key} twice in one object, at byte {at}")]
    Twice { key: String, at: usize },
    #[error("is nested more than {DEEPEST} levels deep, at byte {at}")]
    TooDeep { at: usize },
    #[error("is not an object of JSON")]
    NoObject,
}

/// Reads a whole body, which has to be an object, and writes it.
pub(super) fn rewritten(text: &str) -> Result<String, Fault> {
    let mut reader = Reader { text, at: 0, out: String::with_capacity(text.len()) };
    reader.skip_space();
    if reader.peek() != Some(b'{') {
        // What is not even JSON is said to be that.
        reader.value(0)?;
        return Err(Fault::NoObject);
    }
    reader.value(0)?;
    reader.skip_space();
    match reader.peek() {
        None => Ok(reader.out),
        Some(_) => Err(reader.fault("something follows its end")),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    out: String,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fault(&self, what: &'static str) -> Fault {
        Fault::NotJson { what, at: self.at }
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| b" \t\r\n".contains(&byte)) {
            self.at += 1;
        }
    }

    /// Takes a byte and writes it, if it is the next.
    fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        if is_next {
            self.at += 1;
            self.out.push(char::from(byte));
        }
        is_next
    }

    fn value(&mut self, depth: usize) -> Result<(), Fault> {
        self.skip_space();
        if depth > DEEPEST {
            return Err(Fault::TooDeep { at: self.at });
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(|_| ()),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => self.word(),
            None => Err(self.fault("it breaks off")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), Fault> {
        self.takes(b'{');
        let mut keys = HashSet::new();
        self.skip_space();
        if self.takes(b'}') {
            return Ok(());
        }
        loop {
            self.skip_space();
            let at = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.fault("a key is missing"));
            }
            let key = self.string()?;
            if !keys.insert(key.clone()) {
                return Err(Fault::Twice { key: super::super::shortened(&format!("{key:?}")), at });
            }
            self.skip_space();
            if !self.takes(b':') {
                return Err(self.fault("a colon is missing"));
            }
            self.value(depth + 1)?;
            self.skip_space();
            if self.takes(b'}') {
                return Ok(());
            }
            if !self.takes(b',') {
                return Err(self.fault("a comma or the end of an object is missing"));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<(), Fault> {
        self.takes(b'[');
        self.skip_space();
        if self.takes(b']') {
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            self.skip_space();
            if self.takes(b']') {
                return Ok(());
            }
            if !self.takes(b',') {
                return Err(self.fault("a comma or the end of a list is missing"));
            }
        }
    }

    /// A text, as it is meant.
    fn string(&mut self) -> Result<String, Fault> {
        let begin = self.at;
        let rest = self.text.as_bytes().get(begin + 1..).unwrap_or_default();
        let mut escaped = false;
        let end = rest.iter().position(|byte| {
            let ends = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        });
        let end = begin + 2 + end.ok_or_else(|| self.fault("a text does not end"))?;
        // Lone surrogates and control characters are refused with it.
        let text: String = serde_json::from_str(self.text.get(begin..end).unwrap_or_default())
            .map_err(|_| self.fault("a text holds what no text can"))?;
        self.at = end;
        self.out += &serde_json::Value::from(text.as_str()).to_string();
        Ok(text)
    }

    fn number(&mut self) -> Result<(), Fault> {
        let begin = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let leads_with_zero = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 || (leads_with_zero && whole > 1) {
            return Err(self.fault("a number is none"));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.fault("a number is none"));
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.fault("a number is none"));
            }
        }
        self.out += self.text.get(begin..self.at).unwrap_or_default();
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let begin = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - begin
    }

    fn word(&mut self) -> Result<(), Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let word = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word));
        let word = word.ok_or_else(|| self.fault("a value is none"))?;
        self.at += word.len();
        self.out += word;
        Ok(())
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_come_out_as_they_went_in() {
        for (text, expected) in [
            ("{}", "{}"),
            (" {\r\n\t} ", "{}"),
            (
                r#"{ "n" : [ 1.50, -0, 1e999, 12345678901234567890123456789012345678.10E-2 ] , "t":true,"f":false , "x":null }"#,
                r#"{"n":[1.50,-0,1e999,12345678901234567890123456789012345678.10E-2],"t":true,"f":false,"x":null}"#,
            ),
            (r#"{"z":1,"a":{"ü\n\"\\":"\u00e4\ud83d\ude00\/"}}"#, r#"{"z":1,"a":{"ü\n\"\\":"ä😀/"}}"#),
        ] {
            assert_eq!(rewritten(text).unwrap(), expected);
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_at_any_depth_and_however_it_is_escaped() {
        let twice = |key: &str, at| Err(Fault::Twice { key: format!("{key:?}"), at });
        assert_eq!(rewritten(r#"{"TableName":"a","TableName":"b"}"#), twice("TableName", 17));
        assert_eq!(rewritten(r#"{"TableName":"a","Table\u004eame":"b"}"#), twice("TableName", 17));
        assert_eq!(rewritten(r#"{"a":[{"b":{"c":1,"d":2,"c":3}}]}"#), twice("c", 24));
        // Another case is another key.
        assert!(rewritten(r#"{"TableName":"a","tableName":"b"}"#).is_ok());
    }

    #[test]
    fn what_is_not_one_object_is_refused() {
        for text in ["[]", "1", "null", r#""x""#] {
            assert_eq!(rewritten(text), Err(Fault::NoObject), "{text}");
        }
        for text in [
            "",
            "{",
            "{}x",
            "{} {}",
            "{},",
            "\u{feff}{}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":[1,]}",
            "{\"a\":[1 2]}",
            "{a:1}",
            "{'a':1}",
            "{\"a\":01}",
            "{\"a\":-}",
            "{\"a\":1.}",
            "{\"a\":.5}",
            "{\"a\":1e}",
            "{\"a\":+1}",
            "{\"a\":NaN}",
            "{\"a\":nul}",
            "{\"a\":\"x}",
            "{\"a\":\"x\ny\"}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":1 /* */}",
            "{\"a\":1\u{a0}}",
        ] {
            assert!(matches!(rewritten(text), Err(Fault::NotJson { .. })), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(rewritten(&nested(DEEPEST - 1)).is_ok());
        assert!(matches!(rewritten(&nested(DEEPEST)), Err(Fault::TooDeep { .. })));
        assert!(matches!(rewritten(&nested(1_000_000)), Err(Fault::TooDeep { .. })));
    }

    proptest::proptest! {
        #[test]
        fn what_comes_out_means_what_went_in(text in r#"[{}\[\]",:\\a-cu0-9eE.+ntrue-]{0,40}"#) {
            let text = format!("{{\"k\":{text}}}");
            if let Ok(written) = rewritten(&text) {
                let (before, after): (serde_json::Value, serde_json::Value) =
                    match (serde_json::from_str(&text), serde_json::from_str(&written)) {
                        (Ok(before), Ok(after)) => (before, after),
                        // 1e999: JSON, which serde_json has no number for.
                        (before, after) => { proptest::prop_assert_eq!(before.is_err(), after.is_err()); return Ok(()) }
                    };
                proptest::prop_assert_eq!(before, after);
                proptest::prop_assert_eq!(rewritten(&written).unwrap(), written);
            }
        }
    }
}
