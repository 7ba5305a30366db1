//! `mirror`: the state document of an exporter that was there before.

use super::errors::ConfigErrors;
use super::grant_spec::Located;
use super::keys;
use super::pipeline::SinkSpec;
use super::table::{TableReader, mismatch};
use super::tree::Value;
use super::wording::{all_of, quoted};
use crate::model::window::WindowKind;

/// Where the document lies, and what in it is this pipeline's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorSpec {
    /// The URL of the object or file: `s3://bucket/state.json`, `file://./state.json`.
    pub url: Located<String>,
    /// The key of this pipeline's entry; the pipeline's name unless the file says so.
    pub key: String,
    /// What the document looks like.
    pub form: MirrorForm,
    /// The sink whose charges it speaks of.
    pub sink: String,
    /// As in a grant: with which credentials, and where, the bucket is reached.
    pub role: Option<Located<String>>,
    /// The same.
    pub profile: Option<Located<String>>,
    /// The same.
    pub region: Option<Located<String>>,
}

/// What a state document looks like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MirrorForm {
    /// `shared`: one document for several pipelines, each under its key.
    #[default]
    Shared,
    /// `single`: one document for this pipeline alone.
    Single,
}

const URL: &str = "the URL of an object or file, such as \"s3://bucket/state.json\" or \"file://./state.json\"";

/// Reads `mirror`, a URL or a table.
pub(super) fn mirror(
    top: &TableReader<'_>,
    name: Option<&str>,
    window: Option<WindowKind>,
    sinks: &[SinkSpec],
    errors: &mut ConfigErrors,
) -> Option<MirrorSpec> {
    let entry = top.entry("mirror")?;
    if window.is_some_and(|window| window != WindowKind::Month) {
        errors
            .add(
                entry.key.clone(),
                "`mirror` belongs to a pipeline whose windows are months: its document knows nothing else",
            )
            .help("write window = \"month\", or leave `mirror` out");
    }
    let mut account = [None, None, None];
    let (url, key, form, sink) = match &entry.node.value {
        Value::Text { .. } => (top.text("mirror", URL, errors)?, None, MirrorForm::default(), None),
        Value::Table(table) => {
            let reader = TableReader::new("mirror".to_owned(), entry.key.clone(), table, keys::MIRROR, errors);
            reader.required("url", "url = \"s3://bucket/state.json\"", errors)?;
            let form = |text: &str| match text {
                "shared" => Some(MirrorForm::Shared),
                "single" => Some(MirrorForm::Single),
                _ => None,
            };
            account = ["role", "profile", "region"].map(|key| reader.text(key, "a string", errors));
            let key = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            (
                reader.text("url", URL, errors)?,
                reader.parsed("key", "the key of this pipeline's entry in the document", key, errors),
                reader.parsed("form", "\"shared\" or \"single\"", form, errors).unwrap_or_default(),
                reader.text("sink", "the name of a sink", errors),
            )
        }
        _ => {
            mismatch(
                &entry.node,
                "mirror",
                &format!("{URL}, or a table {{ url, key, form, sink, role, profile, region }}"),
                errors,
            );
            return None;
        }
    };
    if object_of(&url.value).is_none() {
        errors.add(url.span.clone(), format!("`mirror` must be {URL}"));
        return None;
    }
    let names: Vec<&str> = sinks.iter().map(|sink| sink.plugin.name.as_str()).collect();
    let sink = match (sink, names.as_slice()) {
        (Some(sink), names) if names.contains(&sink.value.as_str()) => sink.value,
        (Some(sink), names) => {
            let known: Vec<String> = names.iter().map(|name| quoted(name)).collect();
            errors
                .add(sink.span, format!("there is no sink {}", quoted(&sink.value)))
                .help(format!("there is {}", all_of(&known)));
            return None;
        }
        (None, [only]) => (*only).to_owned(),
        (None, []) => return None,
        (None, _) => {
            errors
                .add(entry.key.clone(), "`mirror` does not say which sink's charges its document speaks of")
                .help("write mirror = { url = \"...\", sink = \"NAME\" }");
            return None;
        }
    };
    if sinks.iter().any(|spec| spec.plugin.name == sink && spec.customers.is_some()) {
        let message = "`mirror` names customers as the usage does, and this sink bills them by a table of customers";
        errors
            .add(entry.key.clone(), message)
            .help("leave `customers` out while the document is kept: an exporter that goes by it would bill others");
        return None;
    }
    let [role, profile, region] = account;
    Some(MirrorSpec { url, key: key.or_else(|| name.map(str::to_owned))?, form, sink, role, profile, region })
}

/// The folder or bucket of a URL, and the name of the object in it. A key may begin with a slash.
pub(super) fn object_of(url: &str) -> Option<(&str, &str)> {
    let (folder, object) = match url.strip_prefix("s3://") {
        Some(place) => url.split_at_checked("s3://".len() + place.find('/')?)?,
        None => url.split_at_checked(url.rfind('/')?)?,
    };
    let object = object.strip_prefix('/')?;
    let (scheme, place) = folder.split_once("://")?;
    let leads_away = object.split('/').any(|part| [".", ".."].contains(&part));
    (["s3", "file"].contains(&scheme)
        && !place.is_empty()
        && !object.is_empty()
        && !object.ends_with('/')
        && !leads_away)
        .then_some((folder, object))
}

impl MirrorSpec {
    /// The URL of the folder or bucket that the document lies in, and its name there.
    pub fn place(&self) -> (&str, &str) {
        object_of(&self.url.value).unwrap_or_default()
    }
}
