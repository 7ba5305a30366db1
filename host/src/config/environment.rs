//! `${NAME}` inside the strings of a pipeline file.
//!
//! | in the file | becomes |
//! |---|---|
//! | `"a-${NAME}-b"` | the variable of the process, else the default in `env`, put in as text |
//! | `"${NAME}"` | the same, with the type of its default: text, whole number, boolean |
//! | `"$${NAME}"` | `${NAME}`, untouched; every other `$` stands for itself |
//!
//! A variable that is set to nothing counts as set, except in the midst of a text, where its default is something: there it would leave
//! a hole in a name or a path, as a secret that a CI job forgot does. There it holds no `*`, `{` and `}` either: `pt-*` for a plan's name
//! would bill every plan as one. Keys are not replaced. What is put in is not looked at again.

use std::collections::BTreeMap;

/// A default from the `env` table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scalar {
    Text(String),
    Integer(i64),
    Boolean(bool),
}

/// A string after the replacement.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Replaced {
    pub value: Scalar,
    /// Whether a part of it came from the process, and so may be something that is not for every eye.
    pub from_process: bool,
}

/// Why a string cannot be replaced.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    Unset(String),
    /// Set to nothing in the midst of a text.
    Empty(String),
    /// Holds what means more than itself in the midst of a text.
    Pattern(String),
    Unclosed,
    /// What stands between the braces is no name.
    BadName(String),
    /// The default has a type that the variable's text does not fit.
    NotBoolean {
        name: String,
        held: String,
    },
    NotInteger {
        name: String,
        held: String,
    },
}

/// The variables that a pipeline file sees.
pub(super) struct Environment<'a> {
    pub defaults: BTreeMap<String, Scalar>,
    pub process: &'a dyn Fn(&str) -> Option<String>,
}

impl Environment<'_> {
    /// Replaces every variable of a string.
    ///
    /// # Errors
    /// Everything that stands in the way, not just the first.
    pub fn replace(&self, text: &str) -> Result<Replaced, Vec<Problem>> {
        let pieces = pieces(text)?;
        if let [Piece::Variable(name)] = pieces.as_slice() {
            return self.typed(name).map_err(|problem| vec![problem]);
        }
        let mut replaced = String::new();
        let mut from_process = false;
        let mut problems = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Literal(literal) => replaced.push_str(literal),
                Piece::Variable(name) => match self.text(name) {
                    Some((value, true)) if value.is_empty() && self.has_default(name) => {
                        problems.push(Problem::Empty(name.to_owned()));
                    }
                    Some((value, true)) if value.contains(['*', '{', '}']) => {
                        problems.push(Problem::Pattern(name.to_owned()));
                    }
                    Some((value, process)) => {
                        replaced.push_str(&value);
                        from_process |= process;
                    }
                    None => problems.push(Problem::Unset(name.to_owned())),
                },
            }
        }
        if problems.is_empty() { Ok(Replaced { value: Scalar::Text(replaced), from_process }) } else { Err(problems) }
    }

    /// Whether a variable has a default that is something.
    fn has_default(&self, name: &str) -> bool {
        self.defaults.get(name).is_some_and(|default| *default != Scalar::Text(String::new()))
    }

    fn text(&self, name: &str) -> Option<(String, bool)> {
        if let Some(value) = (self.process)(name) {
            return Some((value, true));
        }
        let text = match self.defaults.get(name)? {
            Scalar::Text(text) => text.clone(),
            Scalar::Integer(number) => number.to_string(),
            Scalar::Boolean(truth) => truth.to_string(),
        };
        Some((text, false))
    }

    fn typed(&self, name: &str) -> Result<Replaced, Problem> {
        let default = self.defaults.get(name);
        let Some(held) = (self.process)(name) else {
            return match default {
                Some(default) => Ok(Replaced { value: default.clone(), from_process: false }),
                None => Err(Problem::Unset(name.to_owned())),
            };
        };
        let value = match default {
            None | Some(Scalar::Text(_)) => Scalar::Text(held),
            Some(Scalar::Boolean(_)) => match held.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" => Scalar::Boolean(true),
                "false" | "0" | "no" => Scalar::Boolean(false),
                _ => {
                    return Err(Problem::NotBoolean { name: name.to_owned(), held });
                }
            },
            Some(Scalar::Integer(_)) => match held.parse() {
                Ok(number) => Scalar::Integer(number),
                Err(_) => {
                    return Err(Problem::NotInteger { name: name.to_owned(), held });
                }
            },
        };
        Ok(Replaced { value, from_process: true })
    }
}

/// Whether a text can be the name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

enum Piece<'a> {
    Literal(&'a str),
    Variable(&'a str),
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Vec<Problem>> {
    let mut pieces = Vec::new();
    let mut problems = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(escaped) = before.strip_suffix('$') {
            pieces.push(Piece::Literal(escaped));
            pieces.push(Piece::Literal("${"));
            rest = after;
            continue;
        }
        if !before.is_empty() {
            pieces.push(Piece::Literal(before));
        }
        let Some((name, after)) = after.split_once('}') else {
            problems.push(Problem::Unclosed);
            rest = "";
            break;
        };
        if is_name(name) {
            pieces.push(Piece::Variable(name));
        } else {
            problems.push(Problem::BadName(name.to_owned()));
        }
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    if problems.is_empty() { Ok(pieces) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn replace(text: &str) -> Result<Replaced, Vec<Problem>> {
        let process = |name: &str| match name {
            "SET" => Some("process".to_owned()),
            "EMPTY" | "NOTHING" => Some(String::new()),
            "FLAG" => Some("YES".to_owned()),
            "COUNT" => Some("12".to_owned()),
            "NESTED" => Some("${SET}".to_owned()),
            "STAR" => Some("pt-*".to_owned()),
            _ => None,
        };
        let defaults = [
            ("SET", Scalar::Text("default".to_owned())),
            ("EMPTY", Scalar::Text("default".to_owned())),
            ("DEFAULT", Scalar::Text("default".to_owned())),
            ("FLAG", Scalar::Boolean(false)),
            ("OFF", Scalar::Boolean(false)),
            ("COUNT", Scalar::Integer(1)),
        ];
        let defaults = defaults.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Environment { defaults, process: &process }.replace(text)
    }

    #[test]
    fn the_process_wins_over_the_default_and_empty_counts_as_set() {
        for (text, expected) in [
            ("a-${SET}-b", "a-process-b"),
            ("${DEFAULT}", "default"),
            ("${EMPTY}", ""),
            ("[${NOTHING}]", "[]"),
            ("x${OFF}${COUNT}", "xfalse12"),
            ("${NESTED}", "${SET}"),
        ] {
            assert_eq!(replace(text).unwrap().value, Scalar::Text(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_variable_that_is_set_to_nothing_leaves_no_hole_in_a_text() {
        assert_eq!(replace("a-${EMPTY}-b"), Err(vec![Problem::Empty("EMPTY".to_owned())]));
    }

    #[test]
    fn a_variable_makes_no_pattern_of_a_text() {
        assert_eq!(replace("a-${NESTED}"), Err(vec![Problem::Pattern("NESTED".to_owned())]));
        assert_eq!(replace("a/${STAR}/b"), Err(vec![Problem::Pattern("STAR".to_owned())]));
        assert_eq!(replace("${STAR}").unwrap().value, Scalar::Text("pt-*".to_owned()));
    }

    #[test]
    fn a_string_that_is_just_a_variable_takes_the_type_of_its_default() {
        assert_eq!(replace("${FLAG}").unwrap().value, Scalar::Boolean(true));
        assert_eq!(replace("${OFF}").unwrap().value, Scalar::Boolean(false));
        assert_eq!(replace("${COUNT}").unwrap().value, Scalar::Integer(12));
    }

    #[test]
    fn a_dollar_stands_for_itself_unless_a_brace_follows() {
        for (text, expected) in [("^a$", "^a$"), ("$SET", "$SET"), ("$$", "$$"), ("$${SET}", "${SET}"), ("a$${", "a${")]
        {
            assert_eq!(replace(text).unwrap().value, Scalar::Text(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn only_what_came_from_the_process_is_marked() {
        assert!(replace("${SET}").unwrap().from_process && replace("a${SET}").unwrap().from_process);
        assert!(!replace("${DEFAULT}").unwrap().from_process && !replace("plain").unwrap().from_process);
    }
}
