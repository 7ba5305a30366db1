//! Reading `grant`. Only types are checked here; whether a URL makes sense is judged where it is enforced.

use std::path::PathBuf;

use super::environment::is_name;
use super::errors::ConfigErrors;
use super::grant_spec::{AwsGrantSpec, GrantSpec, HttpGrantSpec, Located, SecretSource, SecretSpec};
use super::keys;
use super::table::{TableReader, mismatch, table, text};
use super::tree::{Entry, Node, Value};
use super::wording::key_path;

const LOCATION: &str = "a URL such as \"s3://bucket/prefix\" or \"file://./folder\"";
const HTTP: &str = "a URL such as \"https://api.example.com\", a table { url, methods, paths }, or a list of these";
const AWS: &str = "a table of actions such as { \"dynamodb:Query\" = [\"Table\"] }";
const RESOURCES: &str = "what it may be done on, such as \"Table\" or \"Table/index/Name\"";
const METHODS: &str = "method names";
const PATHS: &str = "paths such as \"/v1/items\" or \"/v1/*\"";
const SECRET: &str = "a table such as { env = \"NAME_OF_A_VARIABLE\" } or { file = \"path\" }";

/// What a section's `grant` says; what is wrong in it is left out and reported.
pub(super) fn grant(entry: &Entry, path: &str, errors: &mut ConfigErrors) -> GrantSpec {
    let mut grant = GrantSpec::default();
    let Some(entries) = table(&entry.node, path, "a table", errors) else {
        return grant;
    };
    let reader = TableReader::new(path.to_owned(), entry.key.clone(), entries, keys::GRANT, errors);
    grant.read = reader.text("read", LOCATION, errors);
    grant.write = reader.text("write", LOCATION, errors);
    grant.role = reader.text("role", "the ARN of a role, such as \"arn:aws:iam::123456789012:role/metering\"", errors);
    grant.profile = reader.text("profile", "the name of an AWS profile", errors);
    grant.region = reader.text("region", "an AWS region such as \"eu-west-1\"", errors);
    if let Some(aws) = reader.entry("aws") {
        let path = reader.path_of("aws");
        if let Some(entries) = table(&aws.node, &path, AWS, errors) {
            // Which actions there are is judged where they are granted.
            let all: Vec<&str> = entries.keys().map(String::as_str).collect();
            let actions = TableReader::new(path, aws.key.clone(), entries, &all, errors);
            for (name, entry) in entries {
                if let Some(resources) = actions.names(name, RESOURCES, errors) {
                    let action = Located { value: name.clone(), span: entry.key.clone() };
                    grant.aws.push(AwsGrantSpec { action, resources });
                }
            }
        }
    }
    if let Some(http) = reader.entry("http") {
        let path = reader.path_of("http");
        match &http.node.value {
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    grant.http.extend(origin(item, &format!("{path}[{index}]"), errors));
                }
            }
            _ => grant.http.extend(origin(&http.node, &path, errors)),
        }
    }
    if let Some(secrets) = reader.entry("secrets") {
        let path = reader.path_of("secrets");
        let expected = "a table such as { client_id = { env = \"CLIENT_ID\" } }";
        for (name, entry) in table(&secrets.node, &path, expected, errors).into_iter().flatten() {
            let secret = secret(entry, &key_path(&path, name), errors);
            grant.secrets.extend(secret.map(|secret| (name.clone(), secret)));
        }
    }
    grant
}

fn origin(node: &Node, path: &str, errors: &mut ConfigErrors) -> Option<Located<HttpGrantSpec>> {
    let value = match &node.value {
        Value::Text { text, .. } => HttpGrantSpec { url: text.clone(), methods: None, paths: None },
        Value::Table(entries) => {
            let reader = TableReader::new(path.to_owned(), node.span.clone(), entries, keys::HTTP, errors);
            reader.required("url", "url = \"https://api.example.com\"", errors);
            let methods = reader.names("methods", METHODS, errors);
            for method in methods.iter().flatten() {
                let capitals = method.value.to_ascii_uppercase();
                if capitals != method.value {
                    errors
                        .add(method.span.clone(), format!("a method is written in capitals, not `{}`", method.value))
                        .help(format!("write \"{capitals}\""));
                }
            }
            let paths = reader.names("paths", PATHS, errors);
            HttpGrantSpec {
                url: reader.text("url", "a URL such as \"https://api.example.com\"", errors)?.value,
                methods: methods.map(values),
                paths: paths.map(values),
            }
        }
        _ => {
            mismatch(node, path, HTTP, errors);
            return None;
        }
    };
    Some(Located { value, span: node.span.clone() })
}

fn secret(entry: &Entry, path: &str, errors: &mut ConfigErrors) -> Option<Located<SecretSpec>> {
    let node = &entry.node;
    let entries = match &node.value {
        Value::Text { .. } => {
            // Not repeated: it may well be the secret.
            errors
                .add(node.span.clone(), format!("`{path}` must be {SECRET}, not a string"))
                .help("a secret itself does not belong into the file");
            return None;
        }
        _ => table(node, path, SECRET, errors)?,
    };
    let reader = TableReader::new(path.to_owned(), entry.key.clone(), entries, keys::SECRET, errors);
    let to = reader
        .entry("to")
        .and_then(|to| text(&to.node, &reader.path_of("to"), "a URL such as \"https://api.example.com\"", errors));
    let variable = |text: &str| is_name(text).then(|| text.to_owned());
    let file = |text: &str| (!text.is_empty()).then(|| PathBuf::from(text));
    let from = match (reader.entry("env"), reader.entry("file")) {
        (Some(_), None) => {
            SecretSource::Env(reader.parsed("env", "the name of an environment variable", variable, errors)?)
        }
        (None, Some(_)) => SecretSource::File(reader.parsed("file", "the path of a file", file, errors)?),
        (found, _) => {
            let fault = if found.is_some() { "both of `env` and `file`" } else { "neither `env` nor `file`" };
            errors
                .add(entry.key.clone(), format!("`{path}` has {fault}"))
                .help("a secret comes from exactly one of them");
            return None;
        }
    };
    Some(Located { value: SecretSpec { from, to: to.map(|to| to.value) }, span: node.span.clone() })
}

fn values(located: Vec<Located<String>>) -> Vec<String> {
    located.into_iter().map(|located| located.value).collect()
}
