//! A TOML document as a tree of values with their places: variables replaced, floats and dates refused.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Map, Value as Json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::environment::{Environment, Problem, Replaced, Scalar, is_name};
use super::errors::ConfigErrors;
use super::source_text::SourceText;
use super::wording::quoted;

/// A value and the bytes that it came from.
#[derive(Debug)]
pub(super) struct Node {
    pub span: Range<usize>,
    pub value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Text {
        text: String,
        from_process: bool,
    },
    Integer(i64),
    Boolean(bool),
    List(Vec<Node>),
    Table(Table),
    /// Already reported; whoever meets it says nothing more.
    Wrong,
}

pub(super) type Table = BTreeMap<String, Entry>;

/// A key's place and its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub key: Range<usize>,
    pub node: Node,
}

/// Reads a document. What is wrong in it is added to `errors`; `None` if it is not TOML at all.
pub(super) fn read(process: &dyn Fn(&str) -> Option<String>, errors: &mut ConfigErrors) -> Option<Table> {
    let source = errors.source().clone();
    let (document, wrong) = DeTable::parse_recoverable(source.text());
    if !wrong.is_empty() {
        for error in wrong {
            let message = format!("this is not TOML: {}", error.message());
            errors.add(error.span().unwrap_or(0..0), message);
        }
        return None;
    }
    let document = document.get_ref();
    let mut environment = Environment { defaults: BTreeMap::new(), process };
    if let Some(env) = document.get("env") {
        environment.defaults = defaults(env, errors);
    }
    Some(table(document, &environment, errors, true))
}

fn table(table: &DeTable<'_>, environment: &Environment<'_>, errors: &mut ConfigErrors, top: bool) -> Table {
    let mut entries = Table::new();
    for (key, value) in table {
        let name = key.get_ref().to_string();
        if name.contains("${") {
            errors
                .add(key.span(), format!("variables are not replaced in keys: {}", quoted(&name)))
                .help("write the key itself");
        }
        // The defaults were read before, and are no strings to be replaced.
        let node = if top && name == "env" {
            Node { span: value.span(), value: Value::Wrong }
        } else {
            node(value, environment, errors)
        };
        entries.insert(name, Entry { key: key.span(), node });
    }
    entries
}

fn node(value: &Spanned<DeValue<'_>>, environment: &Environment<'_>, errors: &mut ConfigErrors) -> Node {
    let span = value.span();
    let value = match value.get_ref() {
        DeValue::String(text) => replaced(text, &span, environment, errors),
        DeValue::Table(inner) => Value::Table(table(inner, environment, errors, false)),
        DeValue::Array(items) => Value::List(items.iter().map(|item| node(item, environment, errors)).collect()),
        plain => match scalar(plain, &span, errors) {
            Some(Scalar::Integer(number)) => Value::Integer(number),
            Some(Scalar::Boolean(truth)) => Value::Boolean(truth),
            Some(Scalar::Text(_)) | None => Value::Wrong,
        },
    };
    Node { span, value }
}

/// A number or boolean; what cannot be kept exactly is reported.
fn scalar(value: &DeValue<'_>, span: &Range<usize>, errors: &mut ConfigErrors) -> Option<Scalar> {
    let (message, label) = match value {
        DeValue::Boolean(truth) => return Some(Scalar::Boolean(*truth)),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) => return Some(Scalar::Integer(number)),
            Err(_) => (format!("{integer} is larger than a whole number can be"), "64 bits hold no more"),
        },
        DeValue::Float(float) => (format!("{float} is a float, and floats are not exact"), "a float"),
        DeValue::Datetime(date) => (format!("{date} is a TOML date, which nothing here takes"), "a TOML date"),
        DeValue::String(_) | DeValue::Array(_) | DeValue::Table(_) => return None,
    };
    let written = errors.source().slice(span).to_owned();
    errors.add(span.clone(), message).help(format!("write it as a string: \"{written}\"")).label(label);
    None
}

fn replaced(text: &str, span: &Range<usize>, environment: &Environment<'_>, errors: &mut ConfigErrors) -> Value {
    match environment.replace(text) {
        Ok(Replaced { value: Scalar::Text(text), from_process }) => Value::Text { text, from_process },
        Ok(Replaced { value: Scalar::Integer(number), .. }) => Value::Integer(number),
        Ok(Replaced { value: Scalar::Boolean(truth), .. }) => Value::Boolean(truth),
        Err(problems) => {
            for problem in problems {
                report(problem, span, errors);
            }
            Value::Wrong
        }
    }
}

fn report(problem: Problem, span: &Range<usize>, errors: &mut ConfigErrors) {
    match problem {
        Problem::Unset(name) => {
            let place = place_of(&name, span, errors.source());
            errors
                .add(place, format!("the environment variable `{name}` is not set"))
                .help(format!("set it, or give it a default at the top of the file: env = {{ {name} = \"...\" }}"));
        }
        Problem::Empty(name) => {
            let place = place_of(&name, span, errors.source());
            errors
                .add(place, format!("the environment variable `{name}` is set to nothing"))
                .help("give it a value, or unset it: its default is taken then");
        }
        Problem::Pattern(name) => {
            let place = place_of(&name, span, errors.source());
            errors
                .add(place, format!("the environment variable `{name}` holds `*`, `{{` or `}}`, which may mean more than themselves here"))
                .help("give it a value without them, or write the whole text into one variable");
        }
        Problem::Unclosed => {
            errors.add(span.clone(), "`${` has no `}`").help("write `$${` for the characters themselves");
        }
        Problem::BadName(name) => {
            errors
                .add(span.clone(), format!("{} is not the name of a variable", quoted(&name)))
                .help("a name has letters, digits and underscores; write `$${` for the characters themselves");
        }
        Problem::NotBoolean { name, held } => {
            let message =
                format!("the environment variable `{name}` holds {}, but its default is a boolean", quoted(&held));
            errors.add(place_of(&name, span, errors.source()), message).help("set it to true, false, 1, 0, yes or no");
        }
        Problem::NotInteger { name, held } => {
            let message =
                format!("the environment variable `{name}` holds {}, but its default is a whole number", quoted(&held));
            errors.add(place_of(&name, span, errors.source()), message).help("set it to a whole number such as 12");
        }
    }
}

/// The place of `${NAME}` inside its string; all of the string where escapes hide it.
fn place_of(name: &str, span: &Range<usize>, source: &SourceText) -> Range<usize> {
    let written = format!("${{{name}}}");
    match source.slice(span).find(&written) {
        Some(offset) => span.start + offset..span.start + offset + written.len(),
        None => span.clone(),
    }
}

fn defaults(env: &Spanned<DeValue<'_>>, errors: &mut ConfigErrors) -> BTreeMap<String, Scalar> {
    let mut defaults = BTreeMap::new();
    let DeValue::Table(table) = env.get_ref() else {
        errors.add(env.span(), "`env` must be a table of defaults").help("env = { NAME = \"value\" }");
        return defaults;
    };
    // A default sees no variables: which of two would be replaced first is nobody's guess.
    let nothing = Environment { defaults: BTreeMap::new(), process: &|_| None };
    for (key, value) in table {
        let name = key.get_ref();
        if !is_name(name) {
            errors
                .add(key.span(), format!("{} is not the name of a variable", quoted(name)))
                .help("a name has letters, digits and underscores");
            continue;
        }
        let default = match value.get_ref() {
            DeValue::String(text) => match nothing.replace(text) {
                Ok(replaced) => Some(replaced.value),
                Err(_) => {
                    errors
                        .add(value.span(), format!("the default of `{name}` refers to a variable"))
                        .help("write its value; `$${` stands for the characters themselves");
                    None
                }
            },
            DeValue::Array(_) | DeValue::Table(_) => {
                errors.add(
                    value.span(),
                    format!("the default of `{name}` must be a string, a whole number or a boolean"),
                );
                None
            }
            plain => scalar(plain, &value.span(), errors),
        };
        // A default that was wrong is reported above; that its variable has none is then no news.
        defaults.insert(name.to_string(), default.unwrap_or_else(|| Scalar::Text(String::new())));
    }
    defaults
}

impl Node {
    /// The value as JSON. `null` stands only for what is wrong, which no caller gets to see.
    pub fn json(&self) -> Json {
        match &self.value {
            Value::Text { text, .. } => Json::String(text.clone()),
            Value::Integer(number) => Json::from(*number),
            Value::Boolean(truth) => Json::Bool(*truth),
            Value::List(items) => Json::Array(items.iter().map(Node::json).collect()),
            Value::Table(table) => Json::Object(table_json(table)),
            Value::Wrong => Json::Null,
        }
    }
}

pub(super) fn table_json(table: &Table) -> Map<String, Json> {
    table.iter().map(|(key, entry)| (key.clone(), entry.node.json())).collect()
}
