//! What a schema found wrong, in words for the person who wrote the pipeline file.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value as Json;

use super::places::join;
use super::wording::{all_of, key_path, nearest, one_of, quoted, string};

/// One thing that is wrong with a plugin's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The JSON pointer of what is at fault, inside the settings.
    pub pointer: String,
    /// Whether the key or its value is at fault.
    pub place: Place,
    /// What is wrong, up to ", not ...".
    pub message: String,
    /// What there is instead. It may come from the environment, and is then not shown.
    pub got: Option<String>,
    pub help: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Key,
    Value,
}

const DECIMAL: &str = "a decimal such as \"1.5\"";

/// The faults that one error of the validator stands for.
pub(super) fn faults(error: &ValidationError<'_>, schema: &Json, config: &Json, section: &str) -> Vec<Fault> {
    let settings = Settings { schema, config, section };
    settings.faults(error)
}

struct Settings<'a> {
    schema: &'a Json,
    config: &'a Json,
    section: &'a str,
}

impl Settings<'_> {
    fn faults(&self, error: &ValidationError<'_>) -> Vec<Fault> {
        let path = self.path(error.instance_path().as_str());
        let must =
            |what: String| vec![value_fault(error, format!("`{path}` must be {what}"), Some(got(error.instance())))];
        let has = |what: String| vec![value_fault(error, format!("`{path}` must have {what}"), None)];
        match error.kind() {
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
                unexpected.iter().map(|key| self.unknown(error, key, &path)).collect()
            }
            Kind::Required { property } => vec![self.missing(error, property, &path)],
            Kind::Type { .. } | Kind::Pattern { .. } if self.takes_decimals(error) => must(DECIMAL.to_owned()),
            Kind::Type { kind } => must(one_of(&type_names(kind))),
            Kind::Enum { options } => vec![choice(error, &path, options.as_array().map_or(&[], Vec::as_slice))],
            Kind::Constant { expected_value } => {
                vec![choice(error, &path, std::slice::from_ref(expected_value))]
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => self.closest(error, context, &path),
            Kind::Pattern { pattern } => must(format!("a text of the form {}", quoted(pattern))),
            Kind::Format { format } => must(format!("a text of the form {}", quoted(format))),
            Kind::Minimum { limit } => must(format!("at least {limit}")),
            Kind::Maximum { limit } => must(format!("at most {limit}")),
            Kind::ExclusiveMinimum { limit } => must(format!("more than {limit}")),
            Kind::ExclusiveMaximum { limit } => must(format!("less than {limit}")),
            Kind::MultipleOf { multiple_of } => must(format!("a multiple of {multiple_of}")),
            Kind::MinLength { limit: 1 } => {
                vec![value_fault(error, format!("`{path}` is empty"), None)]
            }
            Kind::MinLength { limit } => has(format!("at least {limit} characters")),
            Kind::MaxLength { limit } => has(format!("at most {limit} characters")),
            Kind::MinItems { limit } => has(format!("at least {}", counted(*limit, "item"))),
            Kind::MaxItems { limit } => has(format!("at most {}", counted(*limit, "item"))),
            Kind::AdditionalItems { limit } => has(format!("at most {}", counted(*limit as u64, "item"))),
            Kind::MinProperties { limit } => has(format!("at least {}", counted(*limit, "key"))),
            Kind::MaxProperties { limit } => has(format!("at most {}", counted(*limit, "key"))),
            Kind::UniqueItems => vec![value_fault(error, format!("`{path}` holds an item twice"), None)],
            Kind::OneOfMultipleValid { .. } => {
                let message = format!("`{path}` can be understood in more than one way");
                vec![value_fault(error, message, None)]
            }
            Kind::FalseSchema => {
                vec![Fault { place: Place::Key, ..value_fault(error, format!("`{path}` is not allowed here"), None) }]
            }
            Kind::PropertyNames { error: of_key } => vec![self.bad_key(error, of_key, &path)],
            // What is left is rare; the validator's own words do, without the value.
            _ => {
                let words = error.masked_with("the value").to_string();
                vec![value_fault(error, format!("`{path}` does not fit: {words}"), None)]
            }
        }
    }

    /// The setting as the file would write it: `source.config.fields.time`.
    fn path(&self, pointer: &str) -> String {
        let mut path = format!("{}.config", self.section);
        let mut value = Some(self.config);
        for key in pointer.split('/').skip(1) {
            let key = key.replace("~1", "/").replace("~0", "~");
            if value.is_some_and(Json::is_array) {
                path = format!("{path}[{key}]");
                value = value.and_then(|value| value.get(key.parse::<usize>().ok()?));
            } else {
                path = key_path(&path, &key);
                value = value.and_then(|value| value.get(&key));
            }
        }
        path
    }

    fn unknown(&self, error: &ValidationError<'_>, key: &str, path: &str) -> Fault {
        let known: Vec<&str> =
            self.properties(error).map_or_else(Vec::new, |map| map.keys().map(String::as_str).collect());
        let names: Vec<String> = known.iter().map(|name| quoted(name)).collect();
        let help = match nearest(key, known.iter().copied()) {
            Some(near) => Some(format!("did you mean {}?", quoted(near))),
            None if known.is_empty() => None,
            None => Some(format!("known here are {}", all_of(&names))),
        };
        Fault {
            pointer: join(error.instance_path().as_str(), key),
            place: Place::Key,
            message: format!("unknown key {} in `{path}`", quoted(key)),
            got: None,
            help,
        }
    }

    fn missing(&self, error: &ValidationError<'_>, property: &Json, path: &str) -> Fault {
        let key = property.as_str().unwrap_or_default();
        let described = self
            .properties(error)
            .and_then(|properties| properties.get(key)?.get("description")?.as_str())
            .and_then(|text| text.lines().next())
            .filter(|line| !line.trim().is_empty());
        Fault {
            help: described.map(|line| format!("the plugin says of it: {}", string(line.trim()))),
            ..value_fault(error, format!("{} is missing in `{path}`", quoted(key)), None)
        }
    }

    fn bad_key(&self, error: &ValidationError<'_>, of_key: &ValidationError<'_>, path: &str) -> Fault {
        let key = of_key.instance().as_str().unwrap_or_default();
        let reason = match of_key.kind() {
            Kind::Pattern { pattern } => format!(": it is not of the form {}", quoted(pattern)),
            _ => String::new(),
        };
        Fault {
            pointer: join(error.instance_path().as_str(), key),
            place: Place::Key,
            message: format!("{} cannot be a key of `{path}`{reason}", quoted(key)),
            got: None,
            help: None,
        }
    }

    /// The schema's `properties` beside the keyword that failed.
    fn properties(&self, error: &ValidationError<'_>) -> Option<&serde_json::Map<String, Json>> {
        self.beside(error, "properties")?.as_object()
    }

    /// Whether the schema calls its values decimals, as that of the SDK does. The pattern behind it is for programs.
    fn takes_decimals(&self, error: &ValidationError<'_>) -> bool {
        self.beside(error, "format").is_some_and(|format| format == "decimal")
    }

    /// Another keyword of the schema whose keyword failed.
    fn beside(&self, error: &ValidationError<'_>, keyword: &str) -> Option<&Json> {
        let (object, _) = error.schema_path().as_str().rsplit_once('/')?;
        self.schema.pointer(object)?.get(keyword)
    }

    /// Of several forms that a value may have, what is wrong with the one that it comes closest to.
    fn closest(&self, error: &ValidationError<'_>, forms: &[Vec<ValidationError<'static>>], path: &str) -> Vec<Fault> {
        let here = error.instance_path().as_str();
        let at_top = |wrong: &&ValidationError<'static>| wrong.instance_path().as_str() == here;
        let other_type = |form: &&Vec<ValidationError<'static>>| {
            form.iter().any(|wrong| at_top(&wrong) && matches!(wrong.kind(), Kind::Type { .. }))
        };
        let candidates: Vec<_> = forms.iter().filter(|form| !other_type(form)).collect();
        if candidates.is_empty() {
            let mut types: Vec<&str> = forms.iter().flatten().filter(at_top).flat_map(types_of).collect();
            types.sort_unstable();
            types.dedup();
            let message = format!("`{path}` must be {}", one_of(&types));
            return vec![value_fault(error, message, Some(got(error.instance())))];
        }
        // A value that none of its choices allows (the value itself, or the tag in it) says which form was not meant.
        let wrong_tag = |form: &&Vec<ValidationError<'static>>| form.iter().any(|wrong| !choices_of(wrong).is_empty());
        let tagged: Vec<_> = candidates.iter().filter(|form| !wrong_tag(form)).collect();
        if let Some(form) = tagged.iter().min_by_key(|form| form.len()) {
            return form.iter().flat_map(|wrong| self.faults(wrong)).collect();
        }
        let tags: Vec<&ValidationError<'_>> =
            candidates.iter().filter_map(|form| form.iter().find(|wrong| !choices_of(wrong).is_empty())).collect();
        let Some(first) = tags.first() else {
            return Vec::new();
        };
        let place = first.instance_path().as_str();
        let same_place = tags.iter().filter(|tag| tag.instance_path().as_str() == place);
        let choices: Vec<Json> = same_place.flat_map(|tag| choices_of(tag)).collect();
        vec![choice(first, &self.path(place), &choices)]
    }
}

fn value_fault(error: &ValidationError<'_>, message: String, got: Option<String>) -> Fault {
    Fault { pointer: error.instance_path().as_str().to_owned(), place: Place::Value, message, got, help: None }
}

fn choice(error: &ValidationError<'_>, path: &str, choices: &[Json]) -> Fault {
    let mut words: Vec<String> = choices.iter().map(literal).collect();
    words.dedup();
    let given = error.instance().as_str();
    let near = given.and_then(|given| nearest(given, choices.iter().filter_map(Json::as_str)));
    Fault {
        help: near.map(|near| format!("did you mean {}?", string(near))),
        ..value_fault(error, format!("`{path}` must be {}", one_of(&words)), Some(got(error.instance())))
    }
}

/// A choice as TOML would write it.
fn literal(choice: &Json) -> String {
    match choice {
        Json::String(text) => string(text),
        plain => plain.to_string(),
    }
}

fn choices_of(error: &ValidationError<'_>) -> Vec<Json> {
    match error.kind() {
        Kind::Enum { options } => options.as_array().cloned().unwrap_or_default(),
        Kind::Constant { expected_value } => vec![expected_value.as_ref().clone()],
        _ => Vec::new(),
    }
}

fn types_of(error: &ValidationError<'_>) -> Vec<&'static str> {
    match error.kind() {
        Kind::Type { kind } => type_names(kind),
        _ => Vec::new(),
    }
}

fn type_names(kind: &TypeKind) -> Vec<&'static str> {
    match kind {
        TypeKind::Single(single) => vec![type_name(*single)],
        // TOML has no null: that it would be allowed helps nobody.
        TypeKind::Multiple(several) => several.iter().filter(|kind| *kind != JsonType::Null).map(type_name).collect(),
    }
}

fn type_name(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Array => "a list",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Null => "left out",
        JsonType::Number => "a number",
        JsonType::Object => "a table",
        JsonType::String => "a string",
    }
}

fn got(value: &Json) -> String {
    match value {
        Json::Null => "nothing".to_owned(),
        Json::Bool(truth) => format!("the boolean {truth}"),
        Json::Number(number) => format!("the number {number}"),
        Json::String(text) if text.is_empty() => "an empty string".to_owned(),
        Json::String(text) => string(text),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "a table".to_owned(),
    }
}

fn counted(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}
