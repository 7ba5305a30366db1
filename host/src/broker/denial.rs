//! What a plugin asked for and did not get, with the line of TOML that would grant it.
//!
//! To the plugin a denial is an ordinary error. The person at the end of the run needs the other half: what to write, should
//! the plugin be trusted with it.

use std::fmt;
use std::sync::Mutex;

use http::Method;

use super::grant::Grants;
use super::origin::Origin;
use super::paths::PathPattern;
use super::root::Root;
use super::{held, shortened};
use crate::config::SecretSource;

/// One thing that a plugin asked for and did not get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The plugin's place in the pipeline file: `source`, `sink.clazar`.
    pub plugin: String,
    /// What it asked for, in words that follow "asked".
    pub asked: String,
    /// The line that would grant it, to stand below `[plugin]`. Nothing if no grant can.
    pub grant: Option<String>,
    /// Whether the section's grants stand in an inline table.
    pub inline: bool,
}

/// Where a line that would grant something has to stand, and the line: `below [source], this line would grant it: grant.read = ...`.
pub fn advice(section: &str, inline: bool, line: &str) -> String {
    match inline {
        true => {
            let line = line.strip_prefix("grant.").unwrap_or(line);
            format!("below [{section}], inside `grant = {{ ... }}`, this would grant it: {line}")
        }
        false => format!("below [{section}], this line would grant it: {line}"),
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Denial { plugin, asked, grant, inline } = self;
        write!(f, "{plugin} asked {asked}, which it is not granted; ")?;
        match grant {
            Some(line) => f.write_str(&advice(plugin, *inline, line)),
            None => f.write_str("no grant can allow it"),
        }
    }
}

/// The denials of one session, each once.
#[derive(Default)]
pub(super) struct Denials(Mutex<Vec<Denial>>);

/// A plugin that tries every address of a network is understood after this many.
const MOST: usize = 100;
/// Bytes of a line that would grant something.
const LONGEST_LINE: usize = 8192;

impl Denials {
    pub(super) fn record(&self, plugin: &str, inline: bool, asked: String, grant: Option<String>) {
        // What is too long to be shown is too long to be written into a file by hand.
        let grant = grant.filter(|line| line.len() <= LONGEST_LINE);
        let denial = Denial { plugin: plugin.to_owned(), asked: shortened(&asked), grant, inline };
        let mut list = held(&self.0);
        if list.len() < MOST && !list.contains(&denial) {
            list.push(denial);
        }
    }

    pub(super) fn list(&self) -> Vec<Denial> {
        held(&self.0).clone()
    }
}

/// `grant.http` with everything that it holds already, and this origin.
pub(super) fn origin_line(grants: &Grants, origin: &Origin) -> String {
    http_line(grants, quoted(&origin.to_string()))
}

/// `grant.http` with everything that it holds already, and this method and path of an origin that is narrowed. Nothing for a
/// path that no pattern can name.
pub(super) fn narrowed_line(grants: &Grants, origin: &Origin, method: &Method, path: &str) -> Option<String> {
    PathPattern::parse(path).ok()?;
    let url = quoted(&origin.to_string());
    let (method, path) = (quoted(method.as_str()), quoted(path));
    Some(http_line(grants, format!("{{ url = {url}, methods = [{method}], paths = [{path}] }}")))
}

/// `grant.read` or `grant.write`: the bucket that is granted for the other, else a folder that is still to be named.
pub(super) fn root_line(field: &str, other: Option<&Root>) -> String {
    let url = other.and_then(Root::url).unwrap_or_else(|| "file://./FOLDER".to_owned());
    format!("grant.{field} = {}", quoted(&url))
}

/// A secret of this name, from a variable that is called like it.
pub(super) fn secret_line(grants: &Grants, name: &str) -> String {
    let variable: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    let to = match grants.http.as_slice() {
        [_] => String::new(),
        [first, ..] => format!(", to = {}", quoted(&first.origin.to_string())),
        [] => ", to = \"https://HOST\"".to_owned(),
    };
    format!("grant.secrets.{} = {{ env = {}{to} }}", key(name), quoted(&variable))
}

/// The same secret, bound to another origin.
pub(super) fn rebound_line(name: &str, from: &SecretSource, to: &Origin) -> String {
    let from = match from {
        SecretSource::Env(variable) => format!("env = {}", quoted(variable)),
        SecretSource::File(path) => format!("file = {}", quoted(&path.to_string_lossy())),
    };
    format!("grant.secrets.{} = {{ {from}, to = {} }}", key(name), quoted(&to.to_string()))
}

fn http_line(grants: &Grants, new: String) -> String {
    let mut entries: Vec<String> = grants
        .http
        .iter()
        .map(|grant| {
            let url = quoted(&grant.origin.to_string());
            let list = |texts: Vec<String>| texts.join(", ");
            let methods = grant.methods.as_ref().map(|methods| {
                format!(", methods = [{}]", list(methods.iter().map(|method| quoted(method.as_str())).collect()))
            });
            let paths = grant
                .paths
                .as_ref()
                .map(|paths| format!(", paths = [{}]", list(paths.iter().map(|path| quoted(&path.text)).collect())));
            if methods.is_none() && paths.is_none() {
                return url;
            }
            format!("{{ url = {url}{}{} }}", methods.unwrap_or_default(), paths.unwrap_or_default())
        })
        .collect();
    entries.push(new);
    format!("grant.http = [{}]", entries.join(", "))
}

/// A name as a TOML key.
fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if bare { name.to_owned() } else { quoted(name) }
}

/// A text as a TOML basic string, for which a JSON string is always good.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
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
    use std::path::Path;

    use super::*;
    use crate::config::{GrantSpec, HttpGrantSpec, Located};

    fn grants() -> Grants {
        let http = |url: &str, methods: Option<Vec<String>>, paths: Option<Vec<String>>| Located {
            value: HttpGrantSpec { url: url.to_owned(), methods, paths },
            span: 0..0,
        };
        let narrow = http("https://b.example", Some(vec!["GET".into()]), Some(vec!["/v1/*".into()]));
        let spec = GrantSpec { http: vec![http("https://a.example/x", None, None), narrow], ..GrantSpec::default() };
        Grants::parse(&spec, Path::new("/")).unwrap()
    }

    fn origin(text: &str) -> Origin {
        Origin::read(text).unwrap().1
    }

    #[test]
    fn where_grants_stand_in_an_inline_table_the_line_goes_into_it() {
        let line = "grant.read = \"file://./FOLDER\"";
        assert_eq!(
            advice("source", true, line),
            "below [source], inside `grant = { ... }`, this would grant it: read = \"file://./FOLDER\""
        );
        assert_eq!(
            advice("source", false, line),
            "below [source], this line would grant it: grant.read = \"file://./FOLDER\""
        );
    }

    #[test]
    fn the_line_keeps_what_is_granted_already() {
        assert_eq!(
            origin_line(&grants(), &origin("http://10.0.0.1:80/")),
            r#"grant.http = ["https://a.example", { url = "https://b.example", methods = ["GET"], paths = ["/v1/*"] }, "http://10.0.0.1"]"#
        );
        assert_eq!(
            narrowed_line(&grants(), &origin("https://b.example"), &Method::POST, "/v2").unwrap(),
            r#"grant.http = ["https://a.example", { url = "https://b.example", methods = ["GET"], paths = ["/v1/*"] }, { url = "https://b.example", methods = ["POST"], paths = ["/v2"] }]"#
        );
        assert_eq!(narrowed_line(&grants(), &origin("https://b.example"), &Method::POST, "/v1/%2e%2e/x"), None);
    }

    #[test]
    fn the_line_for_a_secret_names_a_variable_and_where_it_is_ambiguous_an_origin() {
        assert_eq!(
            secret_line(&grants(), "client-id"),
            r#"grant.secrets.client-id = { env = "CLIENT_ID", to = "https://a.example" }"#
        );
        assert_eq!(
            secret_line(&Grants::none(), "a.b"),
            r#"grant.secrets."a.b" = { env = "A_B", to = "https://HOST" }"#
        );
        let from = SecretSource::Env("KEY".to_owned());
        assert_eq!(
            rebound_line("key", &from, &origin("https://b.example")),
            r#"grant.secrets.key = { env = "KEY", to = "https://b.example" }"#
        );
    }

    #[test]
    fn a_denial_is_recorded_once_and_says_what_to_write() {
        let denials = Denials::default();
        let line = "grant.http = [\"https://c.example\"]";
        for _ in 0..2 {
            denials.record("sink.clazar", false, "to send GET https://c.example/".to_owned(), Some(line.to_owned()));
            denials.record("sink.clazar", false, "for the file \"../x\"".to_owned(), None);
        }
        let texts: Vec<_> = denials.list().iter().map(Denial::to_string).collect();
        assert_eq!(
            texts,
            [
                "sink.clazar asked to send GET https://c.example/, which it is not granted; below [sink.clazar], this line would grant it: grant.http = [\"https://c.example\"]",
                "sink.clazar asked for the file \"../x\", which it is not granted; no grant can allow it",
            ]
        );
    }

    #[test]
    fn a_plugin_cannot_fill_the_memory_with_denials() {
        let denials = Denials::default();
        for n in 0..1000 {
            denials.record("source", false, format!("{n} {}", "x".repeat(10_000)), None);
        }
        let list = denials.list();
        assert_eq!(list.len(), MOST);
        assert!(list.iter().all(|denial| denial.asked.len() < 400));
    }
}
