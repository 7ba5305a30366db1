//! The report for a program: one JSON document.

use serde::{Serialize, Serializer};

use super::Report;

impl Report {
    /// The whole document, indented, with a newline at its end. Nothing in it is shortened or left out.
    ///
    /// Characters that a terminal would obey (escape sequences, bidirectional overrides) are written as `\uXXXX`, which a program
    /// reads as the same text.
    pub fn render_json(&self) -> String {
        document(self)
    }
}

/// Any document, written in the same way. It has to be made of texts, numbers, lists and objects.
pub fn document(value: &impl Serialize) -> String {
    #[expect(
        clippy::expect_used,
        reason = "there are no maps with keys that are not text, and nothing else fails in memory"
    )]
    let document = serde_json::to_string_pretty(value).expect("a report can always be written as JSON");
    let mut safe = String::with_capacity(document.len() + 1);
    for c in document.chars() {
        // What is not ASCII stands inside strings only. serde_json has escaped the controls of ASCII, all but DEL.
        if c == '\x7f' || (!c.is_ascii() && c.escape_debug().len() > 1) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(c);
        }
    }
    safe.push('\n');
    safe
}

/// Tags as one object.
///
/// # Errors
/// As the serializer's.
pub fn tags<S: Serializer>(tags: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(tags.iter().map(|(name, value)| (name, value)))
}

#[cfg(test)]
mod tests {
    use crate::report::{Charges, Exit, Items, LedgerEnd, Line, LinePart, LineState, Problem, Report, WindowReport};

    fn report() -> Report {
        Report {
            pipeline: "postgres-prod".into(),
            run: Some("4f1c".into()),
            dry_run: false,
            exit: Exit::Open,
            next_due: Some("2025-08-01T00:30:00Z".into()),
            incomplete: vec![],
            windows: vec![WindowReport {
                window: "2025-06".into(),
                sink: "clazar".into(),
                publishes: false,
                settled: false,
                records: Items { read: 3, held: 3, ..Items::default() },
                charges: Charges { held: 1, ..Charges::default() },
                excluded: vec![],
                quantities: vec![],
                compared_with: None,
                missing: vec![],
                lines: vec![Line {
                    id: None,
                    would_be: None,
                    product: String::new(),
                    customer: "acme".into(),
                    dimension: "cpu".into(),
                    tags: vec![("region".into(), "eu".into())],
                    quantity: "12345678901234567890.5".into(),
                    exact: None,
                    frozen: Some("3".into()),
                    records: 3,
                    parts: vec![LinePart {
                        product: String::new(),
                        customer: "user-1".into(),
                        quantity: "12345678901234567890.5".into(),
                        records: 3,
                    }],
                    state: LineState::Held,
                    reason: Some("a record is quarantined".into()),
                    before: None,
                    carried: vec![],
                    accepted_until: None,
                    change: None,
                    reference: None,
                }],
            }],
            publications: vec![],
            problems: vec![Problem {
                plugin: Some("source (s3-reader 0.1.0)".into()),
                step: Some("reading".into()),
                input: Some("a.json, record 3".into()),
                action: Some("mend it".into()),
                ..Problem::new("quarantined", "no value")
            }],
            notes: vec!["a note".into()],
            ledger: Some(LedgerEnd { place: "p.ledger.db".into(), entries: 12, hash: "3fa9".into() }),
        }
    }

    #[test]
    fn a_program_gets_one_document_with_exact_quantities() {
        assert_eq!(
            report().render_json(),
            r#"{
  "pipeline": "postgres-prod",
  "run": "4f1c",
  "dry_run": false,
  "exit": 1,
  "next_due": "2025-08-01T00:30:00Z",
  "windows": [
    {
      "window": "2025-06",
      "sink": "clazar",
      "settled": false,
      "records": {
        "read": 3,
        "billed": 0,
        "billed_before": 0,
        "carried": 0,
        "open": 0,
        "held": 3,
        "quarantined": 0,
        "waived": 0,
        "duplicate": 0,
        "excluded": 0,
        "zero": 0,
        "elsewhere": 0
      },
      "charges": {
        "billed": 0,
        "billed_before": 0,
        "pending": 0,
        "rejected": 0,
        "unknown": 0,
        "held": 1,
        "waived": 0,
        "zero": 0
      },
      "lines": [
        {
          "id": null,
          "customer": "acme",
          "dimension": "cpu",
          "tags": {
            "region": "eu"
          },
          "quantity": "12345678901234567890.5",
          "frozen": "3",
          "records": 3,
          "parts": [
            {
              "customer": "user-1",
              "quantity": "12345678901234567890.5",
              "records": 3
            }
          ],
          "state": "held",
          "reason": "a record is quarantined"
        }
      ]
    }
  ],
  "problems": [
    {
      "code": "quarantined",
      "plugin": "source (s3-reader 0.1.0)",
      "step": "reading",
      "input": "a.json, record 3",
      "message": "no value",
      "action": "mend it"
    }
  ],
  "notes": [
    "a note"
  ],
  "ledger": {
    "place": "p.ledger.db",
    "entries": 12,
    "hash": "3fa9"
  }
}
"#
        );
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_reads_as_the_same_text() {
        let hostile = "a\u{1b}[2J\u{7f}\u{9b}\u{202e}\u{e0041}\u{200d}\"\\ Müller 東京";
        let json = Report { pipeline: hostile.into(), ..report() }.render_json();
        let line = json.lines().nth(1).unwrap();
        assert_eq!(line, r#"  "pipeline": "a\u001b[2J\u007f\u009b\u202e\udb40\udc41\u200d\"\\ Müller 東京","#);
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["pipeline"], hostile);
    }
}
