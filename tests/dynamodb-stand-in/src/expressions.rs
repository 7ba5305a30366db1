//! The expressions of DynamoDB, as far as records are claimed and marked with them, and stricter: what is not understood panics. As at
//! DynamoDB, all placeholders have to be declared, and all that are declared used.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use meterhost_decimal::Decimal;
use serde_json::{Map, Value, json};

/// The attributes of an item, each as `{"S": "text"}`.
pub type Item = Map<String, Value>;

static NONE: LazyLock<Item> = LazyLock::new(Item::new);

/// The expressions of one request share their placeholders.
pub(crate) struct Expressions<'r> {
    names: &'r Item,
    values: &'r Item,
    used: RefCell<BTreeSet<&'r str>>,
}

/// An update that DynamoDB cannot do.
pub(crate) type Invalid = String;

impl<'r> Expressions<'r> {
    pub(crate) fn new(request: &'r Value) -> Self {
        let map = |key: &str| request.get(key).map_or(&*NONE, |map| map.as_object().unwrap());
        let (names, values) = (map("ExpressionAttributeNames"), map("ExpressionAttributeValues"));
        Expressions { names, values, used: RefCell::default() }
    }

    pub(crate) fn all_used(&self) {
        let declared: BTreeSet<&str> = self.names.keys().chain(self.values.keys()).map(String::as_str).collect();
        assert_eq!(declared, *self.used.borrow(), "declared and used");
    }

    fn name(&self, token: &str) -> &'r str {
        let known = self.names.get_key_value(token).unwrap_or_else(|| panic!("unknown name {token}"));
        self.used.borrow_mut().insert(known.0);
        known.1.as_str().unwrap()
    }

    fn value(&self, token: &str) -> &'r Value {
        let known = self.values.get_key_value(token).unwrap_or_else(|| panic!("unknown value {token}"));
        self.used.borrow_mut().insert(known.0);
        known.1
    }

    /// The attributes that a projection names.
    pub(crate) fn projection(&self, text: &str) -> Vec<&'r str> {
        text.split(',').map(|name| self.name(name.trim())).collect()
    }

    /// What a condition says of each part of a key: its name, a comparison and a value.
    pub(crate) fn of_key<'t>(&self, text: &'t str) -> Vec<(&'r str, &'t str, &'r Value)> {
        let tokens = tokens(text);
        let part = |tokens: &[&'t str]| match tokens {
            [name, comparison, value] => (self.name(name), *comparison, self.value(value)),
            other => panic!("no condition of a key: {other:?}"),
        };
        tokens.split(|token| *token == "AND").map(part).collect()
    }

    pub(crate) fn holds(&self, condition: &str, item: &Item) -> bool {
        let mut parser = Parser { expressions: self, tokens: within_limits(condition), at: 0 };
        let holds = parser.any(item);
        assert_eq!(parser.at, parser.tokens.len(), "the rest of {condition}");
        holds
    }

    /// Applies an update to an item that is as it was before; all operands are taken from there.
    pub(crate) fn update(&self, update: &str, before: &Item, item: &mut Item) -> Result<(), Invalid> {
        let mut parser = Parser { expressions: self, tokens: within_limits(update), at: 0 };
        let mut paths: Vec<Vec<&str>> = Vec::new();
        while let Some(section) = parser.take() {
            loop {
                let path = parser.path();
                let overlaps = paths.iter().any(|other| other.starts_with(&path) || path.starts_with(other));
                assert!(!overlaps, "two document paths overlap: {path:?}");
                match section {
                    "SET" => {
                        parser.expect("=");
                        let mut value = parser.operand(before).ok_or("an operand is missing")?;
                        if parser.skip("+") {
                            let other = parser.operand(before).ok_or("an operand is missing")?;
                            value = json!({ "N": number(&value)?.checked_add(number(&other)?).ok_or("overflow")?.to_string() });
                        }
                        set(item, &path, value)?;
                    }
                    "REMOVE" => {
                        item.remove(path[0]);
                    }
                    "ADD" => {
                        let added = parser.operand(before).unwrap();
                        let own = item.entry(path[0]).or_insert_with(|| json!({ "SS": [] }));
                        let own = own["SS"].as_array_mut().ok_or("an operand has an incorrect type")?;
                        for member in added["SS"].as_array().unwrap() {
                            if !own.contains(member) {
                                own.push(member.clone());
                            }
                        }
                    }
                    other => panic!("unknown section {other}"),
                }
                paths.push(path);
                if !parser.skip(",") {
                    break;
                }
            }
        }
        Ok(())
    }
}

fn number(value: &Value) -> Result<Decimal, Invalid> {
    let text = value["N"].as_str().ok_or("An operand in the update expression has an incorrect data type")?;
    Ok(Decimal::parse(text).unwrap())
}

fn set(item: &mut Item, path: &[&str], value: Value) -> Result<(), Invalid> {
    match path {
        [name] => item.insert((*name).to_owned(), value),
        [map, name] => item
            .get_mut(*map)
            .and_then(|map| map["M"].as_object_mut())
            .ok_or("The document path provided in the update expression is invalid for update")?
            .insert((*name).to_owned(), value),
        other => panic!("a path of {} parts", other.len()),
    };
    Ok(())
}

/// Whether two values are the same: numbers by what they are.
fn same(left: &Value, right: &Value) -> bool {
    match (left.get("N"), right.get("N")) {
        (Some(_), Some(_)) => number(left) == number(right),
        _ => left == right,
    }
}

/// The tokens of an expression, which has at most 4 KB and 300 operators and functions (Service quotas, "Expression parameters"). A dot is
/// counted as an operator: whether it is one is not said.
fn within_limits(text: &str) -> Vec<&str> {
    assert!(text.len() <= 4096, "an expression has at most 4 KB");
    let tokens = tokens(text);
    let is_operator = |token: &&&str| {
        !token.starts_with(['#', ':', '(', ')', ',']) && !["SET", "REMOVE", "ADD", "DELETE"].contains(*token)
    };
    let operators = tokens.iter().filter(is_operator).count();
    assert!(operators <= 300, "an expression has at most 300 operators, not {operators}");
    tokens
}

fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::with_capacity(text.len() / 4);
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '#' | ':' | '_');
        let length = match first {
            _ if is_word(first) => rest.find(|letter| !is_word(letter)).unwrap_or(rest.len()),
            '<' | '>' if rest[1..].starts_with('=') => 2,
            _ => first.len_utf8(),
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

struct Parser<'e, 'r, 't> {
    expressions: &'e Expressions<'r>,
    tokens: Vec<&'t str>,
    at: usize,
}

impl<'r, 't> Parser<'_, 'r, 't> {
    fn take(&mut self) -> Option<&'t str> {
        self.at += 1;
        self.tokens.get(self.at - 1).copied()
    }

    fn skip(&mut self, token: &str) -> bool {
        let is = self.tokens.get(self.at).is_some_and(|next| *next == token);
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, token: &str) {
        assert!(self.skip(token), "{token} is missing at {} of {:?}", self.at, self.tokens);
    }

    fn any(&mut self, item: &Item) -> bool {
        let mut holds = self.every(item);
        while self.skip("OR") {
            holds |= self.every(item);
        }
        holds
    }

    fn every(&mut self, item: &Item) -> bool {
        let mut holds = self.one(item);
        while self.skip("AND") {
            holds &= self.one(item);
        }
        holds
    }

    fn one(&mut self, item: &Item) -> bool {
        if self.skip("NOT") {
            return !self.one(item);
        }
        if self.skip("(") {
            let holds = self.any(item);
            self.expect(")");
            return holds;
        }
        let function = self.tokens[self.at];
        if !function.starts_with(['#', ':']) {
            self.at += 1;
            self.expect("(");
            let found = self.path();
            let found = item.get(found[0]);
            let argument = self.skip(",").then(|| self.operand(item).unwrap());
            self.expect(")");
            return match (function, argument) {
                ("attribute_exists", None) => found.is_some(),
                ("attribute_not_exists", None) => found.is_none(),
                ("attribute_type", Some(kind)) => {
                    found.is_some_and(|found| found.get(kind["S"].as_str().unwrap()).is_some())
                }
                ("contains", Some(member)) => {
                    found.and_then(|found| found["SS"].as_array()).is_some_and(|set| set.contains(&member["S"]))
                }
                (other, argument) => panic!("unknown function {other}({argument:?})"),
            };
        }
        let left = self.operand(item);
        let comparison = self.take().unwrap();
        let (Some(left), Some(right)) = (left, self.operand(item)) else { return false };
        match comparison {
            "=" => same(&left, &right),
            "<" => number(&left).is_ok_and(|left| left < number(&right).unwrap()),
            ">=" => number(&left).is_ok_and(|left| left >= number(&right).unwrap()),
            other => panic!("unknown comparison {other}"),
        }
    }

    fn path(&mut self) -> Vec<&'r str> {
        let mut path = Vec::new();
        loop {
            let token = self.take().unwrap();
            path.push(self.expressions.name(token));
            if !self.skip(".") {
                return path;
            }
        }
    }

    fn operand(&mut self, item: &Item) -> Option<Value> {
        if self.tokens[self.at].starts_with(':') {
            let token = self.take().unwrap();
            return Some(self.expressions.value(token).clone());
        }
        if self.skip("if_not_exists") {
            self.expect("(");
            let found = self.operand(item);
            self.expect(",");
            let other = self.operand(item);
            self.expect(")");
            return found.or(other);
        }
        let path = self.path();
        let first = item.get(path[0]);
        match path.as_slice() {
            [_] => first.cloned(),
            [_, second] => first.and_then(|first| first["M"].get(*second)).cloned(),
            other => panic!("a path of {} parts", other.len()),
        }
    }
}
